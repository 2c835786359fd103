// What the counters of Intel and AMD have in common: a register that counts up while ring 3 runs,
// and whose overflow the local APIC delivers as an NMI, so that it ends a run even when a flipped
// bit has switched interrupts off. Where the registers are: pmu_intel.cpp, pmu_amd.cpp.
#pragma once

#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/parts.hpp"
#include "arch/x86_64/registers.hpp"

// traps.asm: false when there is no such register (#GP). For registers that only CPUID could deny.
extern "C" bool try_write_msr(arch::x86::Msr msr, std::uint64_t value);

namespace arch::x86 {

class Pmu : public CounterBackEnd {
public:
  void enter(std::uint64_t n) final {
    begin_ = (0 - (n != 0 ? n : far)) & mask_;
    prepare(begin_);
    admit_counter_interrupt();  // its delivery masks it (Intel SDM Vol. 3A §11.5.1)
    go();
  }

  // The interrupt may come late, when the overflow that caused it has been seen and cleared.
  Stint left(std::uint64_t reason) final {
    stop();
    const std::uint64_t value = read();
    const bool overflow = overflowed(value);
    const bool interrupt = reason == nmi_vector && (overflow || owed_);
    owed_ = !interrupt && (overflow || owed_);
    return {(value - begin_) & mask_, interrupt};
  }

protected:
  // In this order; the counter only changes while it stands still.
  virtual void prepare(std::uint64_t value) = 0;  // no overflow pends from here on
  virtual void go() = 0;
  virtual void stop() = 0;
  virtual std::uint64_t read() = 0;
  virtual bool overflowed(std::uint64_t value) = 0;
  ~Pmu() = default;

  // Of the bits that should be there, those that are; false when that is no counter.
  bool find_width(Msr counter, unsigned width) {
    if (width < 32 || width > 63 || !try_write_msr(counter, bit(width) - 1)) return false;
    mask_ = read_msr(counter);
    return mask_ >= bit(32) - 1 && (mask_ & (mask_ + 1)) == 0;
  }
  [[nodiscard]] Bits top_bit() const { return (mask_ + 1) >> 1; }

private:
  // An overflow that nobody asked for: the way out of a run that no interrupt can end.
  static constexpr std::uint64_t far = 1 << 28;
  std::uint64_t mask_ = 0, begin_ = 0;
  bool owed_ = false;
};

}  // namespace arch::x86
