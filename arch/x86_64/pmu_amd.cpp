// AMD: counter 0, event C0h (retired instructions), ring 3 only; one of the six core counters
// (PerfCtrExtCore), or of the four that every AMD64 CPU has. There is no status: while it counts up
// to an overflow, the top one of its 48 bits is set (AMD APM Vol. 2 §13.2).
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/pmu.hpp"

namespace arch::x86 {
namespace {

class Amd final : public Pmu {
public:
  [[nodiscard]] bool start() const override {
    const bool core = has(feature::perfctr_core);
    PmuState& own = state();
    own.control = core ? Msr::PerfCtl0 : Msr::PerfEvtSel0;
    own.counter = core ? Msr::PerfCtrCore0 : Msr::PerfCtr0;
    return try_write_msr(own.control, PerfEvtSel::Standing) && find_width(own.counter, 48);
  }

private:
  [[nodiscard]] PmuState& state() const override { return this_cpu().pmu_amd; }
  void set(std::uint64_t value) const override { write_msr(state().counter, value); }
  void forget_overflow() const override {}  // there is no status
  void go() const override { write_msr(state().control, PerfEvtSel::Standing | PerfEvtSel::En); }
  void go_for_guest() const override {
    write_msr(state().control, PerfEvtSel::StandingGuest | PerfEvtSel::En);
  }
  void stop() const override { write_msr(state().control, PerfEvtSel::Standing); }
  [[nodiscard]] std::uint64_t read() const override { return read_msr(state().counter); }
  [[nodiscard]] bool overflowed(std::uint64_t value) const override {
    return (value & top_bit()) == 0;
  }
};

constexpr Amd amd{};

}  // namespace

const CounterBackEnd& pmu_amd() { return amd; }

}  // namespace arch::x86
