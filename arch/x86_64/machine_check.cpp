#include "arch/x86_64/machine_check.hpp"

#include "arch/x86_64/features.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

namespace {

// The error banks are four registers each, MC0_CTL onwards; MCG_CAP says how many there are.
Msr bank_register(Msr first, std::uint64_t bank) {
  return static_cast<Msr>(static_cast<std::uint64_t>(first) + 4 * bank);
}

}  // namespace

void x86::start_machine_checks() {
  if (!has(feature::mce) || !has(feature::mca)) return;
  const std::uint64_t capabilities = read_msr(Msr::McgCap);
  if ((capabilities & McgCap::CtlP) != 0) write_msr(Msr::McgCtl, ~0ull);
  for (std::uint64_t bank = 0; bank < (capabilities & McgCap::Count); ++bank) {
    write_msr(bank_register(Msr::Mc0Ctl, bank), ~0ull);
    write_msr(bank_register(Msr::Mc0Status, bank), 0);
  }
  write_cr4(read_cr4() | Cr4::Mce);
}

bool x86::clear_machine_check() {
  bool whole = (read_msr(Msr::McgStatus) & McgStatus::Ripv) != 0;
  const std::uint64_t banks = read_msr(Msr::McgCap) & McgCap::Count;
  for (std::uint64_t bank = 0; bank < banks; ++bank) {
    const std::uint64_t status = read_msr(bank_register(Msr::Mc0Status, bank));
    if ((status & McStatus::Val) == 0) continue;
    if ((status & McStatus::Pcc) != 0) whole = false;
    write_msr(bank_register(Msr::Mc0Status, bank), 0);
  }
  write_msr(Msr::McgStatus, 0);
  return whole;
}

}  // namespace arch
