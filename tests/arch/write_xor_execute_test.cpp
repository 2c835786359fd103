// The boot check of the kernel's mappings must be able to fail: each kind of bad page is planted.
#include "arch/write_xor_execute.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using reprise::FrameNumber;
using E = arch::x86::TableEntry;

namespace {

// Kernel tables with one small page and one large one, both writable and not executable.
struct KernelTables {
  FakeMemory memory;
  FrameNumber root = memory.kernel_root();
  std::uint64_t &slot, &directory_pointer, &table, &small, &large;

  std::uint64_t& child(std::uint64_t& parent, std::size_t index) {
    if ((parent & 1) == 0) {
      const FrameNumber frame = memory.allocate().value();
      for (auto& word : memory.words(frame)) word = 0;
      parent = frame.value() << 12 | 3;
    }
    return memory.words(FrameNumber{(parent & E::Frame) >> 12})[index];
  }
  std::uint64_t& clear_root() {
    for (auto& word : memory.words(root)) word = 0;
    arch::x86::cpu.cr3 = root.value() << 12;
    return memory.words(root)[511];
  }
  KernelTables()
      : slot{clear_root()},
        directory_pointer{child(slot, 510)},
        table{child(directory_pointer, 0)},
        small{child(table, 3)},
        large{child(directory_pointer, 1)} {
    small = 0x5000 | E::P | E::Rw | E::Xd;
    large = 0x200000 | E::P | E::Rw | E::Xd | E::Ps;
  }
};

}  // namespace

TEST_CASE("mappings that are writable or executable, not both, pass the boot check") {
  KernelTables t;
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
  t.small = 0x5000 | E::P;
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
  t.small |= E::Rw;
  t.table &= ~E::Rw;  // forbidden above the leaf
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
  t.table |= E::Rw | E::Xd;
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
}

TEST_CASE("a page that is writable and executable is found, small or large") {
  KernelTables t;
  t.small &= ~E::Xd;
  REQUIRE_THROWS_AS(arch::check_write_xor_execute(), Panic);
  t.small |= E::Xd;
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
  t.large &= ~E::Xd;
  REQUIRE_THROWS_AS(arch::check_write_xor_execute(), Panic);
}

TEST_CASE("a kernel page open to ring 3, and anything in the user half, is found") {
  KernelTables t;
  for (std::uint64_t* entry : {&t.slot, &t.directory_pointer, &t.table, &t.small}) {
    REQUIRE_NOTHROW(arch::check_write_xor_execute());
    *entry |= E::Us;
  }
  REQUIRE_THROWS_AS(arch::check_write_xor_execute(), Panic);
  t.small &= ~E::Us;
  REQUIRE_NOTHROW(arch::check_write_xor_execute());
  t.memory.words(t.root)[0] = t.slot;
  REQUIRE_THROWS_AS(arch::check_write_xor_execute(), Panic);
}
