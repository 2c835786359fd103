// The error banks are four registers each, MC0_CTL onwards; MCG_CAP says how many there are.
#include "arch/x86_64/machine_check.hpp"

#include "arch/x86_64/instructions.hpp"

namespace arch::x86 {
namespace {

Msr bank_register(Msr first, std::uint64_t bank) {
  return static_cast<Msr>(static_cast<std::uint32_t>(first) + 4 * static_cast<std::uint32_t>(bank));
}

bool has_banks() {
  constexpr std::uint64_t needed = Cpuid1Edx::Mce::mask | Cpuid1Edx::Mca::mask;
  return (cpuid(1).edx & needed) == needed;
}

}  // namespace

void start_machine_checks() {
  if (!has_banks()) return;
  const std::uint64_t capabilities = read_msr(Msr::McgCap);
  if (McgCap::CtlP::get(capabilities) != 0) write_msr(Msr::McgCtl, ~0ull);
  for (std::uint64_t bank = 0; bank < McgCap::Count::get(capabilities); ++bank) {
    write_msr(bank_register(Msr::Mc0Ctl, bank), ~0ull);
    write_msr(bank_register(Msr::Mc0Status, bank), 0);
  }
  write_cr4(read_cr4() | Cr4::Mce::mask);
}

bool clear_machine_check() {
  bool whole = (read_msr(Msr::McgStatus) & McgStatus::Ripv::mask) != 0;
  const std::uint64_t banks = McgCap::Count::get(read_msr(Msr::McgCap));
  for (std::uint64_t bank = 0; bank < banks; ++bank) {
    const std::uint64_t status = read_msr(bank_register(Msr::Mc0Status, bank));
    if ((status & McStatus::Val::mask) == 0) continue;
    if ((status & McStatus::Pcc::mask) != 0) whole = false;
    write_msr(bank_register(Msr::Mc0Status, bank), 0);
  }
  write_msr(Msr::McgStatus, 0);
  return whole;
}

}  // namespace arch::x86
