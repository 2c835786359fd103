// What becomes of bytes of physical memory from given instructions on: which access comes next.
// A flip in a byte that is written next, or never used again, does nothing: it needs no run. Two
// flips of one bit with no access between them are the same flip. Knows nothing of QEMU.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "page_tables.hpp"

namespace fault {

// A byte that is watched from before instruction `at` on.
struct Watch {
  enum class End {
    Kept,     // no access until the run's end
    Written,  // it was written before it was read
    Read,     // it was read, or executed
    Unseen,   // it may have been accessed: nothing is known
  };
  std::uint64_t at = 0;
  std::uint64_t byte = 0;  // physical address
  End end = End::Kept;
  std::uint64_t interval = 0;  // watches with the same number: no access came between their begins
  std::uint64_t by = 0;        // virtual address of the instruction or block that made the access
  // What the machine was like when the watch began.
  std::uint64_t begun_at = 0, rip = 0, cr3 = 0;
  unsigned ring = 0;
  bool begun = false;
};

[[nodiscard]] const char* name_of(Watch::End end);

// One watch for each line: instruction and byte, both decimal, with a space between. Nothing: the
// file cannot be read or has something else.
[[nodiscard]] std::optional<std::vector<Watch>> read_watches(const std::string& file);

class Watches {
public:
  // They begin in the order of their instructions; all() keeps the given order.
  explicit Watches(std::vector<Watch> given);

  // The instruction at which the next watch begins; nothing: all have begun.
  [[nodiscard]] std::optional<std::uint64_t> next() const;
  // Begins it: the caller has filled in `machine` what the machine is like.
  void begin_next(const Watch& machine);

  // An access to `size` bytes within one page.
  void access(std::uint64_t first, std::size_t size, Watch::End how, std::uint64_t by) {
    const std::uint64_t page = first / kPageBytes;
    if (page < pages_.size() && pages_[page] != nullptr) access_page(first, size, how, by);
  }
  // Accesses to this page are not all seen, from now on.
  void exclude(std::uint64_t page);
  // No access is seen any more, anywhere.
  void exclude_all();

  [[nodiscard]] const std::vector<Watch>& all() const { return watches_; }

private:
  struct Page {
    std::bitset<kPageBytes / 8> words;  // those that have open watches
    std::vector<std::size_t> open;      // numbers of watches
    bool excluded = false;
  };

  void access_page(std::uint64_t first, std::size_t size, Watch::End how, std::uint64_t by);
  void close_all(Page& page);

  std::vector<Watch> watches_;
  std::vector<std::size_t> order_;  // by instruction
  std::size_t begun_ = 0;
  std::vector<std::unique_ptr<Page>> pages_;  // those that have watches, by their numbers
  std::uint64_t intervals_ = 0;
};

}  // namespace fault
