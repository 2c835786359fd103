#include "user/monitor/page_walker.hpp"

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::MemoryUse;
using monitor::PageWalker;
using monitor::Translation;

constexpr std::uint64_t paging = 1ul << 31, write_protect = 1ul << 16;
constexpr std::uint64_t present = 1, writable = 2, user = 4, accessed = 0x20, dirty = 0x40,
                        large = 0x80;

struct Walk {
  test::FakeMemory memory{1 << 20};
  reprise_guest_state state{};

  Translation operator()(std::uint64_t linear, MemoryUse use = MemoryUse::Read) {
    return PageWalker{state, memory}.walk(linear, use);
  }
  void use_32_bit() {
    state.cr0 = paging | write_protect | 1;
    state.cr3 = 0x1000;
    state.cr4 = 0x10;
  }
  void use_pae() {
    use_32_bit();
    state.cr4 = 0x30;
    state.cr3 = 0x1fe0;  // a table of 32 bytes
  }
  void use_four_levels() {
    use_pae();
    state.cr3 = 0x1000;
    state.efer = 0x500;
    memory.set<std::uint64_t>(0x1000 + 8 * 0x101, 0x2000 | 7);
    memory.set<std::uint64_t>(0x2000 + 8 * 0x002, 0x3000 | 7);
    memory.set<std::uint64_t>(0x3000 + 8 * 0x003, 0x4000 | 7);
    memory.set<std::uint64_t>(0x4000 + 8 * 0x004, 0xabcd5000 | 7 | 1ul << 63);
  }
  static constexpr std::uint64_t linear =
      0xffff000000000000 | 0x101ul << 39 | 2ul << 30 | 3ul << 21 | 4ul << 12 | 0x678;
};

}  // namespace

TEST_CASE("without paging an address is itself, within 32 bits") {
  Walk walk;
  CHECK(walk(0x12345).physical == 0x12345);
  CHECK(walk(0x1'0000'0010).physical == 0x10);
}

TEST_CASE("32-bit paging: pages of 4 KiB, and of 4 MiB above 4 GiB") {
  Walk walk;
  walk.use_32_bit();
  walk.memory.set<std::uint32_t>(0x1000 + 4 * 1, 0x2000 | 3);
  walk.memory.set<std::uint32_t>(0x2000 + 4 * 2, 0x9000 | 3);
  CHECK(walk(0x00402123).physical == 0x9123);
  walk.memory.set<std::uint32_t>(0x1000 + 4 * 3, 0x00800000 | 0x12 << 13 | large | 3);
  CHECK(walk(0x00c12345).physical == 0x12'0081'2345);
  walk.state.cr4 = 0;  // without PSE the same entry is a table
  CHECK_FALSE(walk(0x00c12345).found);
}

TEST_CASE("PAE: three levels, the first of four entries without rights") {
  Walk walk;
  walk.use_pae();
  walk.memory.set<std::uint64_t>(0x1fe0 + 8 * 3, 0x3000 | 1);
  walk.memory.set<std::uint64_t>(0x3000 + 8 * 5, 0x4000 | 7);
  walk.memory.set<std::uint64_t>(0x4000 + 8 * 6, 0x1'2345'6000 | 7);
  const std::uint64_t linear = 3ul << 30 | 5ul << 21 | 6ul << 12 | 0x9ab;
  CHECK(walk(linear, MemoryUse::Write).physical == 0x1'2345'69ab);
  CHECK(walk.memory.at<std::uint64_t>(0x1fe0 + 8 * 3) == (0x3000 | 1));
  walk.memory.set<std::uint64_t>(0x3000 + 8 * 5, 0x2'00200000 | large | 7);
  CHECK(walk(linear).physical == (0x2'00200000 | 6ul << 12 | 0x9ab));
}

TEST_CASE("four levels, with pages of 4 KiB, 2 MiB and 1 GiB") {
  Walk walk;
  walk.use_four_levels();
  CHECK(walk(Walk::linear).physical == 0xabcd5678);
  walk.memory.set<std::uint64_t>(0x3000 + 8 * 3, 0x40200000 | large | 7);
  CHECK(walk(Walk::linear).physical == (0x40200000 | 4ul << 12 | 0x678));
  walk.memory.set<std::uint64_t>(0x2000 + 8 * 2, 0x80000000 | large | 7);
  CHECK(walk(Walk::linear).physical == (0x80000000 | 3ul << 21 | 4ul << 12 | 0x678));
}

TEST_CASE("accessed and dirty bits are set as the processor sets them") {
  Walk walk;
  walk.use_four_levels();
  REQUIRE(walk(Walk::linear).found);
  CHECK(walk.memory.at<std::uint64_t>(0x1000 + 8 * 0x101) == (0x2000 | 7 | accessed));
  CHECK(walk.memory.at<std::uint64_t>(0x4000 + 8 * 4) == (0xabcd5000 | 7 | 1ul << 63 | accessed));
  REQUIRE(walk(Walk::linear, MemoryUse::Write).found);
  CHECK((walk.memory.at<std::uint64_t>(0x4000 + 8 * 4) & dirty) != 0);
  CHECK((walk.memory.at<std::uint64_t>(0x3000 + 8 * 3) & dirty) == 0);
}

TEST_CASE(
    "an absent page, a write to a read-only one, and a user's way to the kernel's are faults") {
  Walk walk;
  walk.use_four_levels();
  CHECK_FALSE(walk(Walk::linear + 0x1000).found);
  CHECK(walk(Walk::linear + 0x1000).error_code == 0);
  CHECK(walk(Walk::linear + 0x1000, MemoryUse::Write).error_code == 2);
  walk.memory.set<std::uint64_t>(0x2000 + 8 * 2,
                                 0x3000 | present | user);  // read-only from here on
  CHECK(walk(Walk::linear).found);
  CHECK(walk(Walk::linear, MemoryUse::Write).error_code == 3);
  walk.state.cr0 &= ~write_protect;
  CHECK(walk(Walk::linear, MemoryUse::Write).found);
  walk.state.cpl = 3;
  CHECK(walk(Walk::linear, MemoryUse::Write).error_code == 7);
  walk.memory.set<std::uint64_t>(0x2000 + 8 * 2, 0x3000 | present | writable);
  CHECK(walk(Walk::linear).error_code == 5);
}

TEST_CASE("a table outside of memory is a fault, and nothing is written") {
  Walk walk;
  walk.use_four_levels();
  walk.memory.set<std::uint64_t>(0x1000 + 8 * 0x101, 0x80000000 | 7);
  CHECK_FALSE(walk(Walk::linear).found);
  walk.state.cr3 = 0xfffffffff000;
  CHECK_FALSE(walk(Walk::linear).found);
}
