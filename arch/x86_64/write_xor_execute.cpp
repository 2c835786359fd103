// The walk that finds any kernel mapping with rights that it must not have.
#include "arch/write_xor_execute.hpp"

#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

using namespace x86;
using E = TableEntry;

namespace {

// `rights`: what the entries above allow, as Rw and Us, and Xd where one of them forbids execution
// (Intel SDM Vol. 3A §4.6: all levels must allow, one forbids).
void check_table(reprise::FrameNumber table, unsigned level, std::uint64_t rights) {
  const FrameWords entries = frame_words(table);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t entry = entries[i];
    if ((entry & E::P) == 0) continue;
    // In the active tables while the kernel boots: nothing of ring 3, nothing left of the boot.
    if (level == 4 && i < entries.size() / 2) REPRISE_PANIC("the kernel's tables have a user half");
    const std::uint64_t here = (entry & rights & (E::Rw | E::Us)) | ((entry | rights) & E::Xd);
    if (level > 1 && (entry & E::Ps) == 0) {
      check_table(frame_in(entry), level - 1, here);
    } else if ((here & E::Us) != 0) {
      REPRISE_PANIC("a kernel page is open to ring 3");
    } else if ((here & (E::Rw | E::Xd)) == E::Rw) {
      REPRISE_PANIC("a kernel page is both writable and executable");
    }
  }
}

}  // namespace

void check_write_xor_execute() {
  REPRISE_ASSERT(frame_in(read_cr3()) == kernel_root());
  check_table(kernel_root(), 4, E::Rw | E::Us);
}

}  // namespace arch
