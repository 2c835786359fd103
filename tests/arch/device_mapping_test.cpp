#include "arch/x86_64/device_mapping.hpp"

#include <array>
#include <memory>
#include <vector>

#include "arch/frame_memory.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/memory_map.hpp"
#include "tests/catch.hpp"

using arch::x86::CacheMode;
using arch::x86::map_device_pages;
using arch::x86::TableEntry;
using reprise::PhysAddr;

// Not reached: the tests bring their own way to the tables.
arch::FrameWords arch::frame_words(reprise::FrameNumber) { std::abort(); }

namespace {

std::vector<std::unique_ptr<std::array<std::uint64_t, 512>>> tables;
std::size_t table_limit;

std::uint64_t* entries(PhysAddr table) { return tables.at(table.value() >> 12)->data(); }

std::optional<PhysAddr> allocate() {
  if (tables.size() == table_limit) return std::nullopt;
  tables.push_back(std::make_unique<std::array<std::uint64_t, 512>>());
  return PhysAddr{(tables.size() - 1) << 12};
}

void reset(std::size_t limit = 64) {
  tables.clear();
  table_limit = limit;
  allocate();  // the root, at address 0
}

bool map(std::uint64_t start, std::size_t size, CacheMode mode) {
  return map_device_pages(PhysAddr{}, PhysAddr{start}, size, mode, {entries, allocate});
}

struct Found {
  std::uint64_t entry;
  unsigned level;
};

// As the CPU walks: the entry that maps the direct map's address of `physical`, or level 0.
Found walk(std::uint64_t physical) {
  std::uint64_t table = 0;
  for (unsigned level = 4; level >= 1; --level) {
    const std::uint64_t linear = reprise::direct_map_base + physical;
    const std::uint64_t entry = entries(PhysAddr{table})[linear >> (12 + 9 * (level - 1)) & 511];
    if ((entry & TableEntry::P::mask) == 0) return {0, 0};
    if (level == 1 || (entry & TableEntry::Ps::mask) != 0) return {entry, level};
    table = entry & TableEntry::Frame::mask;
  }
  return {0, 0};
}

}  // namespace

TEST_CASE("a device's page is mapped at its place, writable, never executable, uncached") {
  reset();
  REQUIRE(map(0xfee00030, 0x10, CacheMode::Uncached));
  const Found page = walk(0xfee00000);
  CHECK(page.level == 1);
  CHECK((page.entry & TableEntry::Frame::mask) == 0xfee00000);
  CHECK((page.entry & TableEntry::Rw::mask) != 0);
  CHECK((page.entry & TableEntry::Xd::mask) != 0);
  CHECK((page.entry & TableEntry::Us::mask) == 0);
  CHECK((page.entry & TableEntry::Pcd::mask) != 0);
  CHECK((page.entry & TableEntry::Pwt::mask) != 0);
  CHECK(walk(0xfee01000).level == 0);
  CHECK(walk(0xfedff000).level == 0);
}

TEST_CASE("a range that crosses a page's end is mapped on both sides") {
  reset();
  REQUIRE(map(0xfec00ffe, 4, CacheMode::Uncached));
  CHECK(walk(0xfec00000).level == 1);
  CHECK(walk(0xfec01000).level == 1);
}

TEST_CASE("a framebuffer is mapped in large pages, its tail in small ones, all of it and no more") {
  reset();
  constexpr std::uint64_t start = 0xc0000000;
  constexpr std::uint64_t size = 0x400000 + 0x3001;
  REQUIRE(map(start, size, CacheMode::WriteCombining));
  for (std::uint64_t at = start; at < start + size; at += 0x1000) {
    const Found page = walk(at);
    REQUIRE(page.level == (at < start + 0x400000 ? 2 : 1));
    CHECK((page.entry & TableEntry::Pwt::mask) != 0);
    CHECK((page.entry & TableEntry::Pcd::mask) == 0);
    const std::uint64_t page_bytes = page.level == 2 ? 0x200000 : 0x1000;
    CHECK((page.entry & TableEntry::Frame::mask) == (at & ~(page_bytes - 1)));
  }
  CHECK(walk(start + 0x404000).level == 0);
}

TEST_CASE("what is mapped already stays as it is, large pages included") {
  reset();
  REQUIRE(map(0x200000, 0x200000, CacheMode::WriteBack));
  REQUIRE(map(0x1ff000, 0x1000, CacheMode::WriteBack));
  const std::uint64_t large = walk(0x200000).entry;
  REQUIRE(map(0x1ff000, 0x204000, CacheMode::Uncached));
  CHECK(walk(0x200000).entry == large);
  CHECK((walk(0x1ff000).entry & TableEntry::Pcd::mask) == 0);
  CHECK((walk(0x400000).entry & TableEntry::Pcd::mask) != 0);
  CHECK(walk(0x402000).level == 1);
  CHECK(walk(0x403000).level == 0);
}

TEST_CASE("no table frame left, or an address out of reach, is said and not mapped") {
  reset(3);
  CHECK_FALSE(map(0xfee00000, 0x1000, CacheMode::Uncached));
  reset();
  CHECK_FALSE(map(reprise::direct_map_limit - 0x1000, 0x2000, CacheMode::Uncached));
  CHECK_FALSE(map(~0ull - 0xfff, 0x2000, CacheMode::Uncached));
  CHECK_FALSE(map(0xfee00000, 0, CacheMode::Uncached));
  CHECK(map(reprise::direct_map_limit - 0x1000, 0x1000, CacheMode::Uncached));
}
