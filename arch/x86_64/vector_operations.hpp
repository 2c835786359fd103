// Copies, comparisons and check words of memory, once for each width of vector register
// (vectors.asm). Boot chooses the widest that the CPU has (extended_state.cpp). All widths give the
// same results, check words included, so one may verify what another has copied.
//
// Called only between save_rest() and load_rest(), when no program's vectors are in the CPU; one of
// them (fault_copy.asm) at any time. All addresses are multiples of 64, and so are numbers of
// bytes, which are not 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arch::x86 {

struct VectorOperations {
  // `differing` is 0 when all words agree, `check` the check word of `a`.
  struct Comparison {
    std::uint64_t differing, check;
  };

  // Each works on pages of 4,096 bytes. checked_copy_of_page() returns the check word of its copy.
  void (*copy_page)(std::uint64_t* to, const std::uint64_t* from);
  std::uint64_t (*checked_copy_of_page)(std::uint64_t* to, const std::uint64_t* from);
  Comparison (*compare_pages)(const std::uint64_t* a, const std::uint64_t* b);

  void (*copy_words)(std::uint64_t* to, const std::uint64_t* from, std::size_t bytes);
  // 0 when all words agree.
  std::uint64_t (*differing_bits)(const std::uint64_t* a, const std::uint64_t* b,
                                  std::size_t bytes);
  // The check word: the exclusive or of all words. One flipped bit always changes it.
  std::uint64_t (*check_word)(const std::uint64_t* words, std::size_t bytes);

  // The same as checked_copy_of_page(), at any time: it leaves the vector registers as they were.
  std::uint64_t (*copy_page_at_fault)(std::uint64_t* to, const std::uint64_t* from);
};

extern const VectorOperations sse2_operations, avx2_operations, avx512_operations;

}  // namespace arch::x86
