// The walk that finds a kernel mapping with rights it must not have, whoever made it.
#include "arch/frame_memory.hpp"
#include "arch/machine.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

using namespace x86;
using reprise::FrameNumber;

namespace {

using E = TableEntry;

constexpr std::size_t first_kernel_slot = 256;  // of the root

// `rights`: what the entries above allow, as Rw and Us, and Xd where one of them forbids execution
// (Intel SDM Vol. 3A §4.6: all levels must allow, one forbids).
void check_table(FrameNumber table, unsigned level, std::uint64_t rights) {
  const FrameWords entries = frame_words(table);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t entry = entries[i];
    if ((entry & E::P::mask) == 0) continue;
    // In the active tables while the kernel boots: nothing of ring 3, nothing left of the boot.
    if (level == 4 && i < first_kernel_slot) REPRISE_PANIC("the kernel's tables have a user half");
    const std::uint64_t here =
        (entry & rights & (E::Rw::mask | E::Us::mask)) | ((entry | rights) & E::Xd::mask);
    if (level > 1 && (entry & E::Ps::mask) == 0) {
      check_table(reprise::frame_of(reprise::PhysAddr{entry & E::Frame::mask}), level - 1, here);
      continue;
    }
    if ((here & E::Us::mask) != 0) REPRISE_PANIC("a kernel page is open to ring 3");
    if ((here & E::Rw::mask) != 0 && (here & E::Xd::mask) == 0) {
      REPRISE_PANIC("a kernel page is both writable and executable");
    }
  }
}

}  // namespace

void check_write_xor_execute() {
  REPRISE_ASSERT(read_cr3() == address_of(kernel_root()).value());
  check_table(kernel_root(), 4, E::Rw::mask | E::Us::mask);
}

}  // namespace arch
