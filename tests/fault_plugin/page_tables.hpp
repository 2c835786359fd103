// The page tables of the lower half of an address space, which is the user's. They are found by
// the walk that the processor does, in memory that is read by physical addresses. Knows nothing of
// QEMU.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace fault {

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

}  // namespace fault
