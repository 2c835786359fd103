// The walk; see page_tables.hpp. Intel SDM volume 3A, section 4.5, has the format.
#include "page_tables.hpp"

namespace fault {
namespace {

constexpr unsigned kTopLevel = 4;
constexpr std::uint64_t kWords = 512, kUserWords = kWords / 2;
constexpr std::uint64_t kPresent = 1, kLarge = 1 << 7;
constexpr std::uint64_t kFrame = 0xf'ffff'ffff'f000;

// NOLINTNEXTLINE(misc-no-recursion): four levels
void collect(PageTable table, unsigned level, const PhysicalMemory& memory,
             std::vector<PageTable>& found) {
  if (!memory.is_there(table.frame)) return;
  found.push_back(table);
  if (level == 1) return;
  for (std::uint64_t i = 0; i < table.words; ++i) {
    const std::uint64_t entry = memory.read(table.frame + 8 * i);
    if ((entry & kPresent) == 0 || (entry & kLarge) != 0) continue;
    collect({entry & kFrame, kWords}, level - 1, memory, found);
  }
}

}  // namespace

std::vector<PageTable> user_tables(std::uint64_t cr3, const PhysicalMemory& memory) {
  std::vector<PageTable> found;
  collect({cr3 & kFrame, kUserWords}, kTopLevel, memory, found);
  return found;
}

std::uint64_t words_of(const std::vector<PageTable>& tables) {
  std::uint64_t words = 0;
  for (const PageTable& table : tables) words += table.words;
  return words;
}

std::uint64_t address_of(const std::vector<PageTable>& tables, std::uint64_t draw) {
  std::uint64_t word = draw % words_of(tables);
  for (const PageTable& table : tables) {
    if (word < table.words) return table.frame + 8 * word;
    word -= table.words;
  }
  return 0;  // not reached
}

}  // namespace fault
