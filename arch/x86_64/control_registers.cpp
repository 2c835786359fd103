// How the CPU is set: every protection it offers is on, and ring 3 cannot read what would differ
// between two runs (time stamps, performance counters, descriptor tables).
#include "arch/x86_64/control_registers.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/nondeterminism.hpp"

extern "C" void system_call_entry();

namespace arch {

using namespace x86;

namespace {

std::uint64_t protections_present() {
  return (has(feature::smep) ? Cr4::Smep : 0) | (has(feature::smap) ? Cr4::Smap : 0) |
         (has(feature::umip) ? Cr4::Umip : 0) | (has(feature::fsgsbase) ? Cr4::Fsgsbase : 0);
}

// SYSCALL takes CS from STAR[47:32], and SS = CS + 8 (Intel SDM Vol. 2B, SYSCALL).
void set_system_call_entry() {
  write_msr(Msr::Star, std::uint64_t{kernel_code_selector} << 32);
  write_msr(Msr::Lstar, reinterpret_cast<std::uint64_t>(system_call_entry));
  write_msr(Msr::Fmask, Rflags::Tf | Rflags::If | Rflags::Df | Rflags::Nt | Rflags::Ac);
}

}  // namespace

void x86::set_control_registers() {
  write_msr(Msr::Efer, read_msr(Msr::Efer) | Efer::Sce | Efer::Nxe);
  write_cr0((read_cr0() & ~(Cr0::Am | Cr0::Cd | Cr0::Nw)) | Cr0::Wp);
  write_cr4(Cr4::Pae | Cr4::Tsd | protections_present());
  board.base_instructions = (read_cr4() & Cr4::Fsgsbase) != 0;
  // Page attributes: 0 write-back, 1 write-combining (instead of write-through), 2 UC-, 3 uncached
  // (Intel SDM Vol. 3A §11.12.4).
  if (has(feature::pat)) write_msr(Msr::Pat, 0x0007010600070106);
  // What firmware may have left behind: a way into ring 0 by SYSENTER, breakpoints, branch tracing.
  write_msr(Msr::SysenterCs, 0);
  write_msr(Msr::DebugCtl, 0);
  write_dr7(Dr7::Initial);
  close_sources_of_difference();
  set_system_call_entry();
  start_machine_checks();
}

}  // namespace arch
