// Time: the time-stamp counter, its frequency found at boot by every source that answers, and the
// wall clock. What is chosen and why: calibration.hpp.
#include "arch/x86_64/clock.hpp"

#include "arch/machine.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/cmos.hpp"
#include "arch/x86_64/console.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupt_facts.hpp"

namespace arch {
namespace {

using Quality = Estimate::Quality;

constexpr std::uint64_t second = 1'000'000'000;
constexpr unsigned patience = 400'000;  // looks at a counter, each a fraction of a microsecond

constinit std::uint64_t entry_stamp = 0;
constinit std::uint64_t nanoseconds_per_tick = 0;  // times 2^32
constinit x86::ClockFacts facts{};

struct StampedHardware {
  static std::uint64_t stamp() { return x86::rdtsc(); }
  static void relax() {
    [[maybe_unused]] volatile int step;
    for (int i = 0; i < 500; ++i) step = i;
  }
};

// ACPI power management timer (ACPI 6.5 §4.8.3.3).
struct AcpiTimer : StampedHardware {
  static constexpr std::uint64_t hertz = 3'579'545;
  static inline constinit std::uint16_t port = 0;
  static std::uint64_t reference() { return x86::in32(port); }
};

// Channel 2 of the 8254, gated through port 61h, speaker off; counts down from 65535 once.
struct Pit : StampedHardware {
  static constexpr std::uint64_t hertz = 1'193'182;
  static constexpr std::uint16_t channel = 0x42, command = 0x43, gate = 0x61;
  static void start() {
    x86::out8(gate, static_cast<std::uint8_t>((x86::in8(gate) & ~3) | 1));
    x86::out8(command, 0xb0);  // channel 2, low then high byte, mode 0
    x86::out8(channel, 0xff);
    x86::out8(channel, 0xff);
  }
  static void stop() { x86::out8(gate, static_cast<std::uint8_t>(x86::in8(gate) & ~3)); }
  static std::uint64_t reference() {
    x86::out8(command, 0x80);  // latch channel 2
    const unsigned low = x86::in8(channel);
    return 0xffff - (low | static_cast<unsigned>(x86::in8(channel)) << 8);
  }
};

struct TimerCounter : StampedHardware {
  static std::uint64_t reference() { return 0xffffffff - x86::local_apic.timer_count(); }
};

void add(std::string_view source, std::uint64_t hertz, Quality quality) {
  if (hertz != 0) facts.estimates[facts.count++] = {source, hertz, quality};
}

template <class Reference>
std::uint64_t measure_stamp_rate(std::uint64_t mask) {
  const auto interval = measure<Reference>(mask, Reference::hertz / 100, patience);
  if (!interval) return 0;
  return snap_to_megahertz(scale(interval->stamp, Reference::hertz, interval->reference));
}

struct StatedRates {
  std::uint64_t stamp = 0, timer = 0;  // hertz; 0: not stated
};

// Leaf 40000010h, which VMware began and others follow: kHz of both clocks.
StatedRates stated_by_hypervisor() {
  constexpr std::uint32_t base = 0x40000000;
  if ((x86::cpuid(1).ecx & x86::Cpuid1Ecx::Hypervisor::mask) == 0) return {};
  if (x86::cpuid(base).eax < base + 0x10) return {};
  const auto leaf = x86::cpuid(base + 0x10);
  return {leaf.eax * 1000ull, leaf.ebx * 1000ull};
}

// Leaf 15h: the core crystal's frequency, and the ratio to it (Intel SDM Vol. 3B §18.7.3). The APIC
// timer then runs at the crystal's rate (Vol. 3A §11.5.4).
StatedRates stated_by_cpu() {
  if (x86::cpuid(0).eax < 0x15) return {};
  const auto leaf = x86::cpuid(0x15);
  if (leaf.eax == 0 || leaf.ebx == 0) return {};
  return {scale(leaf.ecx, leaf.ebx, leaf.eax), leaf.ecx};
}

std::uint64_t nominal_rate() {
  return x86::cpuid(0).eax < 0x16 ? 0 : (x86::cpuid(0x16).eax & 0xffff) * 1'000'000ull;
}

void calibrate_stamp(const StatedRates& hypervisor, const StatedRates& cpu) {
  add("hypervisor", hypervisor.stamp, Quality::Stated);
  add("cpuid", cpu.stamp, Quality::Stated);
  const AcpiFacts& acpi = x86::interrupt_facts().acpi;
  if (acpi.timer_port) {
    AcpiTimer::port = *acpi.timer_port;
    const std::uint64_t mask = acpi.timer_has_32_bits ? 0xffffffff : 0xffffff;
    add("acpi", measure_stamp_rate<AcpiTimer>(mask), Quality::Measured);
  }
  Pit::start();
  add("pit", measure_stamp_rate<Pit>(0xffff), Quality::Measured);
  Pit::stop();
  add("nominal", nominal_rate(), Quality::Nominal);
  facts.stamp = choose_frequency(std::span{facts.estimates}.first(facts.count));
  // Without any source time is wrong, but the runs and their comparison do not depend on it.
  if (!facts.stamp) facts.stamp = Choice{{"assumed", second, Quality::Nominal}, 0};
}

void calibrate_timer(const StatedRates& hypervisor, const StatedRates& cpu) {
  constexpr std::uint64_t long_time = 0xffffffff;
  constexpr std::uint64_t ticks = 2'000'000;
  x86::local_apic.start_timer(long_time);
  const auto interval = measure<TimerCounter>(0xffffffff, ticks, patience);
  x86::local_apic.stop_timer();
  const std::uint64_t measured =
      interval ? scale(interval->reference, facts.stamp->estimate.hertz, interval->stamp) : 0;
  const std::array estimates{Estimate{"hypervisor", hypervisor.timer, Quality::Stated},
                             Estimate{"cpuid", cpu.timer, Quality::Stated},
                             Estimate{"measured", snap_to_megahertz(measured), Quality::Measured}};
  facts.timer = choose_frequency(estimates);
  if (!facts.timer) facts.timer = Choice{{"assumed", second, Quality::Nominal}, 0};
}

}  // namespace

void start_clock() {
  const StatedRates hypervisor = stated_by_hypervisor();
  const StatedRates cpu = stated_by_cpu();
  calibrate_stamp(hypervisor, cpu);
  calibrate_timer(hypervisor, cpu);
  nanoseconds_per_tick = (second << 32) / facts.stamp->estimate.hertz;
}

reprise::Nanoseconds now() {
  __extension__ using Wide = unsigned __int128;
  const Wide ticks = x86::rdtsc() - entry_stamp;
  return reprise::Nanoseconds{static_cast<std::uint64_t>((ticks * nanoseconds_per_tick) >> 32)};
}

std::uint64_t wall_clock_seconds() {
  const auto time = Cmos<x86::MachinePorts>::read(x86::interrupt_facts().acpi.century_register);
  return time ? seconds_since_1970(*time) : 0;
}

std::uint64_t time_stamp() { return x86::rdtsc(); }

namespace x86 {

void note_kernel_entry() { entry_stamp = rdtsc(); }

const ClockFacts& clock_facts() { return facts; }

}  // namespace x86
}  // namespace arch
