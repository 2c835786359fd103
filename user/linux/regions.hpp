// The parts of the address space that the program has mapped: sorted, disjoint, merged intervals.
// This is bookkeeping only; memory.cpp does the mapping. The program's image and stack are not
// listed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace personality {

struct Node;

// How the pages of a file's mapping and the file belong together (file_mappings.cpp).
enum class FileLink : std::uint8_t {
  None,     // no file's
  Private,  // pages are the program's own; they came from the file
  Copy,     // shared, never written by the program: copies that each write to the file renews
  Joined    // shared: the page in the mapping is the file's
};

struct Region {
  std::uint64_t start, end;  // page aligned
  std::uint32_t protection;  // REPRISE_PROTECT_* bits
  // False: reserved (PROT_NONE), the kernel has no pages there. Nor has it behind a file's end.
  bool backed;
  FileLink link = FileLink::None;
  bool may_write = true;  // mprotect can make it writable
  Node* node = nullptr;
  std::uint64_t origin = 0;  // where the file's first byte would be, modulo 2^64
};

class Regions {
public:
  static constexpr std::size_t capacity = 4096;

  // False: the table is full, nothing changed. `carve` may need one more place, `insert` up to two.
  [[nodiscard]] bool carve(std::uint64_t start, std::uint64_t end);
  [[nodiscard]] bool insert(const Region& region);  // replaces what it overlaps

  // The region that contains `address`, or the next one above it; nullptr: none.
  [[nodiscard]] const Region* at_or_above(std::uint64_t address) const;
  [[nodiscard]] bool is_free(std::uint64_t start, std::uint64_t end) const;
  // The lowest free range of `bytes` + `slack` within [low, high); 0: none.
  [[nodiscard]] std::uint64_t find_gap(std::uint64_t low, std::uint64_t high, std::uint64_t bytes,
                                       std::uint64_t slack) const;
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const Region& operator[](std::size_t index) const { return regions_[index]; }
  void clear() { count_ = 0; }
  // Whether one range can be taken out, split at both ends and put in again.
  [[nodiscard]] bool has_room() const { return count_ + 8 <= capacity; }

private:
  [[nodiscard]] std::size_t lower(std::uint64_t address) const;  // first index with end > address
  void open(std::size_t index);
  void close(std::size_t index);
  void merge_with_next(std::size_t index);

  std::size_t count_ = 0;
  Region regions_[capacity] = {};
};

}  // namespace personality
