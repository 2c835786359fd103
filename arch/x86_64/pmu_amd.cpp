// AMD: counter 0, event C0h (retired instructions), ring 3 only; one of the six core counters
// (PerfCtrExtCore), or of the four that every AMD64 CPU has. There is no status: while it counts up
// to an overflow, the top one of its 48 bits is set (AMD APM Vol. 2 §13.2).
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/pmu.hpp"

namespace arch::x86 {
namespace {

class Amd final : public Pmu {
public:
  [[nodiscard]] bool start() override {
    const bool core = has(feature::perfctr_core);
    control_ = core ? Msr::PerfCtl0 : Msr::PerfEvtSel0;
    counter_ = core ? Msr::PerfCtrCore0 : Msr::PerfCtr0;
    return try_write_msr(control_, PerfEvtSel::Standing) && find_width(counter_, 48);
  }

private:
  void prepare(std::uint64_t value) override { write_msr(counter_, value); }
  void go() override { write_msr(control_, PerfEvtSel::Standing | PerfEvtSel::En); }
  void stop() override { write_msr(control_, PerfEvtSel::Standing); }
  std::uint64_t read() override { return read_msr(counter_); }
  bool overflowed(std::uint64_t value) override { return (value & top_bit()) == 0; }

  Msr control_{}, counter_{};
};

constinit Amd amd;

}  // namespace

CounterBackEnd& pmu_amd() { return amd; }

}  // namespace arch::x86
