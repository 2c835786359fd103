// What the CPU must have, and how it is set: every protection it offers is on, and ring 3 cannot
// read what would differ between two runs (time stamps, performance counters, descriptor tables).
#include "arch/x86_64/control_registers.hpp"

#include "arch/machine.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "kernel/base/text_line.hpp"

extern "C" void system_call_entry();

namespace arch {

using namespace x86;

namespace {

CpuidResult cpuid_if_there(std::uint32_t leaf) {
  const std::uint32_t highest = cpuid(leaf & 0x80000000).eax;
  return highest >= leaf ? cpuid(leaf) : CpuidResult{};
}

std::uint64_t protections_present() {
  const CpuidResult leaf7 = cpuid_if_there(7);
  std::uint64_t bits = 0;
  if ((leaf7.ebx & Cpuid7Ebx::Smep::mask) != 0) bits |= Cr4::Smep::mask;
  if ((leaf7.ebx & Cpuid7Ebx::Smap::mask) != 0) bits |= Cr4::Smap::mask;
  if ((leaf7.ecx & Cpuid7Ecx::Umip::mask) != 0) bits |= Cr4::Umip::mask;
  if ((leaf7.ebx & Cpuid7Ebx::Fsgsbase::mask) != 0) bits |= Cr4::Fsgsbase::mask;
  return bits;
}

// Page attributes: 0 write-back, 1 write-combining (instead of write-through), 2 UC-, 3 uncached
// (Intel SDM Vol. 3A §11.12.4).
void set_page_attributes() {
  if ((cpuid(1).edx & Cpuid1Edx::Pat::mask) != 0) write_msr(Msr::Pat, 0x0007010600070106);
}

void set_system_call_entry() {
  write_msr(Msr::Star, Star::SyscallCs::put(kernel_code_selector) |
                           Star::SysretCs::put(kernel_data_selector | 3));
  write_msr(Msr::Lstar, reinterpret_cast<std::uint64_t>(system_call_entry));
  write_msr(Msr::Fmask, Rflags::Tf::mask | Rflags::If::mask | Rflags::Df::mask | Rflags::Nt::mask |
                            Rflags::Ac::mask);
}

}  // namespace

void require_features() {
  const CpuidResult leaf1 = cpuid(1);
  const CpuidResult extended = cpuid_if_there(0x80000001);
  const struct {
    bool there;
    std::string_view name;
  } needs[] = {
      {(leaf1.edx & Cpuid1Edx::Msr::mask) != 0, "msr"},
      {(leaf1.edx & Cpuid1Edx::Pge::mask) != 0, "pge"},
      {(leaf1.edx & Cpuid1Edx::Apic::mask) != 0, "apic"},
      {(leaf1.edx & Cpuid1Edx::Fxsr::mask) != 0, "fxsr"},
      {(leaf1.edx & Cpuid1Edx::Sse2::mask) != 0, "sse2"},
      {(extended.edx & Cpuid80000001Edx::Nx::mask) != 0, "nx"},
      {(extended.edx & Cpuid80000001Edx::Syscall::mask) != 0, "syscall"},
  };
  reprise::TextLine missing;
  for (const auto& need : needs) {
    if (!need.there) missing.append(missing.view().empty() ? "" : ",", need.name);
  }
  if (missing.view().empty()) return;
  write_console(reprise::TextLine{"[reprise] This CPU lacks what Reprise needs: ", missing,
                                  "\nreprise: error code=machine-unfit missing=", missing, "\n"}
                    .view());
  exit_machine(reprise::ExitCode::MachineUnfit);
}

void x86::set_control_registers() {
  write_msr(Msr::Efer, read_msr(Msr::Efer) | Efer::Sce::mask | Efer::Nxe::mask);
  const std::uint64_t cr0 = read_cr0() & ~(Cr0::Am::mask | Cr0::Cd::mask | Cr0::Nw::mask);
  write_cr0(cr0 | Cr0::Wp::mask);
  write_cr4(Cr4::Pae::mask | Cr4::Tsd::mask | protections_present());
  set_page_attributes();
  set_system_call_entry();
  start_machine_checks();
}

}  // namespace arch
