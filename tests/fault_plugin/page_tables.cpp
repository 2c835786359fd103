// The walk; see page_tables.hpp. Intel SDM volume 3A, section 4.5, has the format.
#include "page_tables.hpp"

namespace fault {
namespace {

constexpr unsigned kTopLevel = 4;
constexpr std::uint64_t kWords = 512, kUserWords = kWords / 2;
constexpr std::uint64_t kPresent = 1, kLarge = 1 << 7;
constexpr std::uint64_t kFrame = 0xf'ffff'ffff'f000;

bool names_table(std::uint64_t entry) { return (entry & kPresent) != 0 && (entry & kLarge) == 0; }

// NOLINTNEXTLINE(misc-no-recursion): four levels
void collect(PageTable table, unsigned level, const PhysicalMemory& memory,
             std::vector<PageTable>& found) {
  if (!memory.is_there(table.frame)) return;
  found.push_back(table);
  if (level == 1) return;
  for (std::uint64_t i = 0; i < table.words; ++i) {
    const std::uint64_t entry = memory.read(table.frame + 8 * i);
    if (names_table(entry)) collect({entry & kFrame, kWords}, level - 1, memory, found);
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

void WalkedPages::add_root(std::uint64_t cr3) { add(cr3 & kFrame, kTopLevel); }

// NOLINTNEXTLINE(misc-no-recursion): four levels
void WalkedPages::add(std::uint64_t frame, unsigned level) {
  const std::uint64_t page = frame / kPageBytes;
  if (!memory_.is_there(frame)) return;
  if (page >= levels_.size()) levels_.resize(page + 1);
  const auto bit = static_cast<std::uint8_t>(1U << level);
  if ((levels_[page] & bit) != 0) return;
  levels_[page] |= bit;
  on_new_(page);
  follow(frame, kPageBytes);
}

// NOLINTNEXTLINE(misc-no-recursion): four levels
void WalkedPages::follow(std::uint64_t first, std::uint64_t size) {
  const unsigned levels = levels_[first / kPageBytes];
  for (std::uint64_t word = first / 8; word <= (first + size - 1) / 8; ++word) {
    const std::uint64_t entry = memory_.read(word * 8);
    if (!names_table(entry)) continue;
    for (unsigned level = 2; level <= kTopLevel; ++level) {
      if ((levels & 1U << level) != 0) add(entry & kFrame, level - 1);
    }
  }
}

}  // namespace fault
