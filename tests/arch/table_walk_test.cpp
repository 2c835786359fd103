// The direct map and the devices in it, walked as the CPU would.
#include "arch/x86_64/table_walk.hpp"

#include "arch/x86_64/kernel_tables.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch::x86;
using reprise::PhysAddr;

namespace {

constexpr std::uint64_t writable = TableEntry::P | TableEntry::Rw | TableEntry::Xd;

// Nothing is mapped yet.
struct Machine {
  Machine() {
    for (auto& word : memory.words(memory.kernel_root())) word = 0;
  }
  bool map(std::uint64_t start, std::uint64_t size, CacheMode mode) {
    const std::uint64_t rights = writable | static_cast<std::uint64_t>(mode);
    return map_direct(memory.kernel_root(), PhysAddr{start}, size, rights, memory);
  }
  FakeMemory memory;
};

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
    if ((entry & TableEntry::P) == 0) return {0, 0};
    if (level == 1 || (entry & TableEntry::Ps) != 0) return {entry, level};
    table = frame_containing(PhysAddr{entry & TableEntry::Frame});
  }
  return {0, 0};
}

}  // namespace

TEST_CASE("a device's page is mapped at its place, writable, never executable, uncached") {
  Machine machine;
  REQUIRE(machine.map(0xfee00030, 0x10, CacheMode::Uncached));
  const Found page = walk(0xfee00000);
  CHECK(page.level == 1);
  CHECK((page.entry & TableEntry::Frame) == 0xfee00000);
  CHECK((page.entry & TableEntry::Rw) != 0);
  CHECK((page.entry & TableEntry::Xd) != 0);
  CHECK((page.entry & TableEntry::Us) == 0);
  CHECK((page.entry & TableEntry::Pcd) != 0);
  CHECK((page.entry & TableEntry::Pwt) != 0);
  CHECK(walk(0xfee01000).level == 0);
  CHECK(walk(0xfedff000).level == 0);
}

TEST_CASE("a range that crosses a page's end is mapped on both sides") {
  Machine machine;
  REQUIRE(machine.map(0xfec00ffe, 4, CacheMode::Uncached));
  CHECK(walk(0xfec00000).level == 1);
  CHECK(walk(0xfec01000).level == 1);
}

TEST_CASE("a framebuffer is mapped in large pages, its tail in small ones, all of it and no more") {
  Machine machine;
  constexpr std::uint64_t start = 0xc0000000;
  constexpr std::uint64_t size = 0x400000 + 0x3001;
  REQUIRE(machine.map(start, size, CacheMode::WriteCombining));
  for (std::uint64_t at = start; at < start + size; at += 0x1000) {
    const Found page = walk(at);
    REQUIRE(page.level == (at < start + 0x400000 ? 2 : 1));
    CHECK((page.entry & TableEntry::Pwt) != 0);
    CHECK((page.entry & TableEntry::Pcd) == 0);
    const std::uint64_t page_bytes = page.level == 2 ? 0x200000 : 0x1000;
    CHECK((page.entry & TableEntry::Frame) == (at & ~(page_bytes - 1)));
  }
  CHECK(walk(start + 0x404000).level == 0);
}

TEST_CASE("what is mapped already stays as it is, large pages included") {
  Machine machine;
  REQUIRE(machine.map(0x200000, 0x200000, CacheMode::WriteBack));
  REQUIRE(machine.map(0x1ff000, 0x1000, CacheMode::WriteBack));
  const std::uint64_t large = walk(0x200000).entry;
  REQUIRE(machine.map(0x1ff000, 0x204000, CacheMode::Uncached));
  CHECK(walk(0x200000).entry == large);
  CHECK((walk(0x1ff000).entry & TableEntry::Pcd) == 0);
  CHECK((walk(0x400000).entry & TableEntry::Pcd) != 0);
  CHECK(walk(0x402000).level == 1);
  CHECK(walk(0x403000).level == 0);
}

TEST_CASE("what is mapped to be read only is not given out to be written to") {
  constexpr std::uint64_t readable = TableEntry::P | TableEntry::Xd;
  for (const std::uint64_t start : {0x10000u, 0x200000u}) {  // in small pages, in a large one
    Machine machine;
    const reprise::FrameNumber root = machine.memory.kernel_root();
    REQUIRE(map_direct(root, PhysAddr{start}, 0x200000, readable, machine.memory));
    CHECK_FALSE(machine.map(start, 8, CacheMode::WriteBack));
    CHECK((walk(start).entry & TableEntry::Rw) == 0);
    CHECK(map_direct(root, PhysAddr{start}, 8, readable, machine.memory));
  }
}

TEST_CASE("an address out of reach is said and not mapped") {
  Machine machine;
  const std::size_t before = machine.memory.allocated();
  CHECK_FALSE(machine.map(reprise::direct_map_limit - 0x1000, 0x2000, CacheMode::Uncached));
  CHECK_FALSE(machine.map(~0ull - 0xfff, 0x2000, CacheMode::Uncached));
  CHECK(machine.memory.allocated() == before);
  CHECK(machine.map(reprise::direct_map_limit - 0x1000, 0x1000, CacheMode::Uncached));
}

TEST_CASE("no frame left for a table is said, and what is mapped needs none") {
  Machine machine;
  REQUIRE(machine.map(0xfee00000, 0x1000, CacheMode::Uncached));
  machine.memory.limit(machine.memory.allocated());
  CHECK(machine.map(0xfee00000, 0x1000, CacheMode::Uncached));
  CHECK(machine.map(0xfee01000, 0x1000, CacheMode::Uncached));
  CHECK_FALSE(machine.map(0x123456789000, 0x1000, CacheMode::Uncached));
}
