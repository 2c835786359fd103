#include "arch/x86_64/guest_components.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"
#include "kernel/base/extended_components.hpp"

namespace arch {

// A flip, or a monitor, can put values into the word that the CPU refuses: x87 alone takes their
// place. Without XSAVE there is no XCR0.
std::uint64_t x86::load_components(const VirtualCpu& virtual_cpu) {
  const std::uint64_t own = board.extended_state.components;
  const bool valid = reprise::valid_components(virtual_cpu.xcr0, own);
  const std::uint64_t wanted = valid ? virtual_cpu.xcr0 : Xcr0::X87;
  if (own != 0 && own != wanted) write_xcr0(wanted);
  return wanted;
}

// QEMU 7.2 does not stop at XSETBV, so the guest may have changed it by itself.
void x86::unload_components(std::uint64_t loaded, VirtualCpu& virtual_cpu) {
  const std::uint64_t own = board.extended_state.components;
  if (own == 0) return;
  const std::uint64_t now = read_xcr0();
  if (now != loaded) virtual_cpu.xcr0 = now;
  if (now != own) write_xcr0(own);
}

}  // namespace arch
