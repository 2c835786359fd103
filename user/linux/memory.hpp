// The program's address space as Linux calls see it (memory.cpp, remap.cpp).
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"
#include "user/linux/regions.hpp"

namespace personality {

void initialise_memory();

[[nodiscard]] Regions& regions();
[[nodiscard]] bool is_break(const Region& region);  // of brk

// Whether the program may map, unmap or protect here: not the archive, the personality or its heap.
[[nodiscard]] bool may_map(std::uint64_t start, std::uint64_t bytes);

// A free place for `bytes` (page multiple); 0: none. Large ones get room to grow behind them.
[[nodiscard]] std::uint64_t find_place(std::uint64_t bytes);

// Linux PROT_* bits to REPRISE_PROTECT_*: the three have the same values; write implies read.
constexpr unsigned native_protection(std::uint64_t protection) {
  return static_cast<unsigned>(protection & 7) | (protection & 2 ? 1u : 0u);
}
constexpr bool writes_and_executes(std::uint64_t protection) { return (protection & 6) == 6; }

}  // namespace personality
