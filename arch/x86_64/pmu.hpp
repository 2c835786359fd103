// What the counters of Intel and AMD have in common: a register that counts up while ring 3 runs,
// and whose overflow the local APIC delivers as an NMI, so that it ends a run even when a flipped
// bit has switched interrupts off. Where the registers are: pmu_intel.cpp, pmu_amd.cpp.
#pragma once

#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/registers.hpp"
#include "arch/x86_64/try_write_msr.hpp"

namespace arch::x86 {

class Pmu : public CounterBackEnd {
public:
  void enter(std::uint64_t n) const final {
    prepare(n);
    go();
  }
  void enter_guest(std::uint64_t n) const final {
    prepare(n);
    go_for_guest();
  }

  // The interrupt may come late, when the overflow that caused it has been seen and cleared.
  Stint left(std::uint64_t reason) const final {
    PmuState& state = this->state();
    stop();
    const std::uint64_t value = read();
    const bool overflow = overflowed(value);
    const bool interrupt = reason == nmi_vector && (overflow || state.owed);
    state.owed = !interrupt && (overflow || state.owed);
    if (reason == nmi_vector) this_cpu().nmi_came = true;
    return {(value - state.begin) & state.mask, interrupt};
  }
  Stint left_guest(std::uint64_t reason, const GuestStamps&) const final { return left(reason); }

protected:
  [[nodiscard]] virtual PmuState& state() const = 0;  // each kind of counter has its own

  // The counter only changes while it stands still.
  virtual void set(std::uint64_t value) const = 0;
  virtual void forget_overflow() const = 0;  // none pends from here on
  virtual void go() const = 0;               // counts ring 3 of this machine
  virtual void go_for_guest() const = 0;     // counts all rings of a guest, and nothing else
  virtual void stop() const = 0;
  [[nodiscard]] virtual std::uint64_t read() const = 0;
  [[nodiscard]] virtual bool overflowed(std::uint64_t value) const = 0;
  ~Pmu() = default;

  // Finds which bits of the counter exist; false when it is no counter.
  [[nodiscard]] bool find_width(Msr counter, unsigned width) const {
    if (width < 32 || width > 63 || !try_write_msr(counter, bit(width) - 1)) return false;
    const std::uint64_t mask = read_msr(counter);
    state().mask = mask;
    return mask >= bit(32) - 1 && (mask & (mask + 1)) == 0;
  }
  [[nodiscard]] Bits top_bit() const { return (state().mask + 1) >> 1; }

private:
  void prepare(std::uint64_t n) const {
    PmuState& state = this->state();
    state.begin = (0 - (n != 0 ? n : far)) & state.mask;
    set(state.begin);
    if (state.owed || this_cpu().nmi_came) arm();
  }

  // Only behind an overflow or an NMI, of which any may be this counter's, a late one: each write
  // of such a register costs as much as a hundred instructions.
  void arm() const {
    this_cpu().nmi_came = false;  // first: one may come behind each of the next instructions
    forget_overflow();
    admit_counter_interrupt();  // its delivery masks it (Intel SDM Vol. 3A §11.5.1)
  }

  // An overflow that nobody asked for: the way out of a run that no interrupt can end.
  static constexpr std::uint64_t far = 1 << 28;
};

}  // namespace arch::x86
