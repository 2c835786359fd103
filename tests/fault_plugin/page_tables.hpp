// Page tables, found by the walk that the processor does, in memory that is read by physical
// addresses: those of an address space's lower half, which is the user's, or all that there ever
// are. Knows nothing of QEMU.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace fault {

inline constexpr std::uint64_t kPageBytes = 4096;

struct PageTable {
  std::uint64_t frame;  // physical address
  std::uint64_t words;  // 512, and 256 of the top level
};

// What the walk needs of the machine.
struct PhysicalMemory {
  std::function<bool(std::uint64_t)> is_there;  // whether the address is memory, and no device
  std::function<std::uint64_t(std::uint64_t)> read;
};

// The tables of all four levels, the top one first. None, if `cr3` does not name memory.
[[nodiscard]] std::vector<PageTable> user_tables(std::uint64_t cr3, const PhysicalMemory& memory);

[[nodiscard]] std::uint64_t words_of(const std::vector<PageTable>& tables);

// The physical address of a word of theirs: number `draw`, modulo the words that there are. There
// is one table at least.
[[nodiscard]] std::uint64_t address_of(const std::vector<PageTable>& tables, std::uint64_t draw);

// All pages that the processor's walk may read, of both halves. A page that was a table once counts
// as one for ever.
class WalkedPages {
public:
  // `on_new` gets the number of each page as soon as it is known to be a table.
  WalkedPages(PhysicalMemory memory, std::function<void(std::uint64_t)> on_new)
      : memory_{std::move(memory)}, on_new_{std::move(on_new)} {}

  // CR3 has this value.
  void add_root(std::uint64_t cr3);
  // These bytes of one page have been written, and memory has them already.
  void written(std::uint64_t first, std::uint64_t size) {
    const std::uint64_t page = first / kPageBytes;
    if (page < levels_.size() && levels_[page] > 1U << 1) follow(first, size);
  }

private:
  void add(std::uint64_t frame, unsigned level);
  void follow(std::uint64_t first, std::uint64_t size);

  PhysicalMemory memory_;
  std::function<void(std::uint64_t)> on_new_;
  std::vector<std::uint8_t> levels_;  // by pages: bit N is set for a table of level N, from 1 to 4
};

}  // namespace fault
