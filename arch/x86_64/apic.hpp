// The local APIC (Intel SDM Vol. 3A chapter 11; AMD APM Vol. 2 chapter 16): who may interrupt, and
// the one-shot timer. As x2APIC, through MSRs, where the CPU has it; else as xAPIC, through memory.
// Both hold the same registers, named here by their xAPIC offsets.
//
// Task priority lets only the timer through but while the kernel idles: a device's interrupt waits
// for the PE's end. Next: io_apic.hpp, from where device interrupts come.
#pragma once

#include <cstdint>

namespace arch::x86 {

class LocalApic {
public:
  enum class Mode : std::uint8_t { Off, XApic, X2Apic };

  // Switches it on with every local source masked but NMI. False when it cannot be reached.
  bool start();
  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] std::uint32_t id() const;

  void end_of_interrupt() { write(Register::EndOfInterrupt, 0); }
  void admit_devices() { write(Register::TaskPriority, 0); }
  void hold_devices() { write(Register::TaskPriority, device_priority); }

  // The timer counts down once from `ticks` (at least 1) at its full rate or a fraction of it.
  void start_timer(std::uint64_t ticks);
  void stop_timer() { write(Register::InitialCount, 0); }
  [[nodiscard]] std::uint32_t timer_count() const { return read(Register::CurrentCount); }

private:
  enum class Register : std::uint16_t {
    Id = 0x20, Version = 0x30, TaskPriority = 0x80, EndOfInterrupt = 0xb0, Spurious = 0xf0,
    ErrorStatus = 0x280, LvtTimer = 0x320, LvtThermal = 0x330, LvtPerformance = 0x340,
    LvtLint0 = 0x350, LvtLint1 = 0x360, LvtError = 0x370, InitialCount = 0x380,
    CurrentCount = 0x390, Divide = 0x3e0,
  };
  static constexpr std::uint32_t device_priority = 0xe0;  // see interrupts.hpp

  [[nodiscard]] std::uint32_t read(Register r) const;
  void write(Register r, std::uint32_t value);
  void mask_local_sources();

  Mode mode_ = Mode::Off;
  volatile std::uint32_t* registers_ = nullptr;  // of the xAPIC
  unsigned divisor_shift_ = ~0u;                 // what Divide holds
};

extern LocalApic local_apic;

// Both 8259 controllers: moved away from the exceptions' vectors, then masked for good.
void mask_legacy_controllers();

}  // namespace arch::x86
