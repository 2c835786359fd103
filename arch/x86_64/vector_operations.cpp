#include "arch/x86_64/vector_operations.hpp"

// The functions of vectors.asm and fault_copy.asm.
#define REPRISE_VECTOR_FUNCTIONS(width)                                                          \
  extern "C" {                                                                                   \
  void copy_page_##width(std::uint64_t*, const std::uint64_t*);                                  \
  std::uint64_t checked_copy_of_page_##width(std::uint64_t*, const std::uint64_t*);              \
  arch::x86::VectorOperations::Comparison compare_pages_##width(const std::uint64_t*,            \
                                                                const std::uint64_t*);           \
  void copy_words_##width(std::uint64_t*, const std::uint64_t*, std::size_t);                    \
  std::uint64_t differing_bits_##width(const std::uint64_t*, const std::uint64_t*, std::size_t); \
  std::uint64_t check_word_##width(const std::uint64_t*, std::size_t);                           \
  std::uint64_t copy_page_at_fault_##width(std::uint64_t*, const std::uint64_t*);                \
  }                                                                                              \
  const arch::x86::VectorOperations arch::x86::width##_operations {                              \
    .copy_page = copy_page_##width, .checked_copy_of_page = checked_copy_of_page_##width,        \
    .compare_pages = compare_pages_##width, .copy_words = copy_words_##width,                    \
    .differing_bits = differing_bits_##width, .check_word = check_word_##width,                  \
    .copy_page_at_fault = copy_page_at_fault_##width                                             \
  }

REPRISE_VECTOR_FUNCTIONS(sse2);
REPRISE_VECTOR_FUNCTIONS(avx2);
REPRISE_VECTOR_FUNCTIONS(avx512);
