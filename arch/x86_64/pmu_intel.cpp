// Intel's architectural performance monitoring, versions 2 and up: fixed counter 0,
// INST_RETIRED.ANY, ring 3 only (Intel SDM Vol. 3B §20.2). A fixed counter is always written at its
// full width; the 32-bit sign extension is the general counters'.
//
// Freeze on PMI (IA32_DEBUGCTL bit 12) stays off: it stops the counter when the interrupt is asked
// for, not when it arrives, and so loses the instructions of the skid, which have to be counted
// here (Linux gave it up, commit 3daa96d67274). A freeze that happened nevertheless is undone.
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/pmu.hpp"

namespace arch::x86 {
namespace {

// Time that the firmware takes for itself is not the program's (Intel SDM Vol. 3B §18.4.1).
void freeze_in_smm() {
  if (!has(feature::pdcm)) return;
  if ((read_msr(Msr::PerfCapabilities) & PerfCapabilities::FreezeInSmm) == 0) return;
  static_cast<void>(try_write_msr(Msr::DebugCtl, DebugCtl::FreezeWhileSmm));
}

class Intel final : public Pmu {
public:
  // Without CPUID's word: version 2, 48 bits.
  [[nodiscard]] bool start() const override {
    const CpuidResult leaf = cpuid_leaf(0xa);
    const unsigned version = leaf.eax & 0xff;
    const unsigned width = version >= 2 ? leaf.edx >> 5 & 0xff : 48;
    state().clear = GlobalStatus::Fixed0 | (version >= 4 ? GlobalStatus::CtrFrz : 0);
    freeze_in_smm();
    return try_write_msr(Msr::GlobalControl, 0) &&
           try_write_msr(Msr::FixedControl, FixedControl::Usr0 | FixedControl::Pmi0) &&
           find_width(Msr::FixedCounter0, width);
  }

private:
  [[nodiscard]] PmuState& state() const override { return this_cpu().pmu_intel; }
  void set(std::uint64_t value) const override { write_msr(Msr::FixedCounter0, value); }
  void forget_overflow() const override { write_msr(Msr::GlobalStatusReset, state().clear); }
  void go() const override { write_msr(Msr::GlobalControl, GlobalStatus::Fixed0); }
  // Guests on Intel's CPUs need VMX, which is not there yet.
  void go_for_guest() const override { go(); }
  void stop() const override { write_msr(Msr::GlobalControl, 0); }
  [[nodiscard]] std::uint64_t read() const override { return read_msr(Msr::FixedCounter0); }
  [[nodiscard]] bool overflowed(std::uint64_t) const override {
    return (read_msr(Msr::GlobalStatus) & GlobalStatus::Fixed0) != 0;
  }
};

constexpr Intel intel{};

}  // namespace

const CounterBackEnd& pmu_intel() { return intel; }

}  // namespace arch::x86
