// The kernel's tables and the devices in them, walked as the CPU would.
#include "arch/x86_64/kernel_tables.hpp"

#include <optional>

#include "arch/x86_64/registers.hpp"
#include "kernel/base/memory_map.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch::x86;
using reprise::PhysAddr;

namespace {

// Nothing is mapped yet.
struct Machine {
  Machine() {
    for (auto& word : memory.words(memory.kernel_root())) word = 0;
    take_table_frames_from(memory);
  }
  FakeMemory memory;
};

bool map(std::uint64_t start, std::size_t size, CacheMode mode) {
  const auto bytes = map_device(PhysAddr{start}, size, mode);
  if (bytes.empty()) return false;
  REQUIRE(reinterpret_cast<std::uint64_t>(bytes.data()) == reprise::direct_map_base + start);
  REQUIRE(bytes.size() == size);
  return true;
}

struct Found {
  std::uint64_t entry;
  unsigned level;
};

// As the CPU walks: the entry that maps the direct map's address of `physical`, or level 0.
Found walk(std::uint64_t physical) {
  reprise::FrameNumber table = kernel_root();
  for (unsigned level = 4; level >= 1; --level) {
    const std::uint64_t linear = reprise::direct_map_base + physical;
    const std::uint64_t entry = arch::frame_words(table)[linear >> (12 + 9 * (level - 1)) & 511];
    if ((entry & TableEntry::P::mask) == 0) return {0, 0};
    if (level == 1 || (entry & TableEntry::Ps::mask) != 0) return {entry, level};
    table = frame_of(PhysAddr{entry & TableEntry::Frame::mask});
  }
  return {0, 0};
}

}  // namespace

TEST_CASE("a device's page is mapped at its place, writable, never executable, uncached") {
  Machine machine;
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
  Machine machine;
  REQUIRE(map(0xfec00ffe, 4, CacheMode::Uncached));
  CHECK(walk(0xfec00000).level == 1);
  CHECK(walk(0xfec01000).level == 1);
}

TEST_CASE("a framebuffer is mapped in large pages, its tail in small ones, all of it and no more") {
  Machine machine;
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
  Machine machine;
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

TEST_CASE("an address out of reach is said and not mapped") {
  Machine machine;
  const std::size_t before = machine.memory.allocated();
  CHECK_FALSE(map(reprise::direct_map_limit - 0x1000, 0x2000, CacheMode::Uncached));
  CHECK_FALSE(map(~0ull - 0xfff, 0x2000, CacheMode::Uncached));
  CHECK_FALSE(map(0xfee00000, 0, CacheMode::Uncached));
  CHECK(machine.memory.allocated() == before);
  CHECK(map(reprise::direct_map_limit - 0x1000, 0x1000, CacheMode::Uncached));
}

TEST_CASE("no frame left for a table is a panic, and what is mapped needs none") {
  Machine machine;
  REQUIRE(map(0xfee00000, 0x1000, CacheMode::Uncached));
  machine.memory.limit(machine.memory.allocated());
  CHECK(map(0xfee00000, 0x1000, CacheMode::Uncached));
  CHECK(map(0xfee01000, 0x1000, CacheMode::Uncached));
  CHECK_THROWS_AS(map(0x123456789000, 0x1000, CacheMode::Uncached), Panic);
}
