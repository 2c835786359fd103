// Time: the time-stamp counter, its frequency found at boot by every source that answers. What is
// chosen and why: calibration.hpp.
#include <array>

#include "arch/machine.hpp"
#include "arch/x86_64/calibration.hpp"
#include "arch/x86_64/devices.hpp"
#include "arch/x86_64/features.hpp"

namespace arch {

using namespace x86;

namespace {

using Quality = Estimate::Quality;

constexpr std::uint64_t second = 1'000'000'000;
constexpr unsigned patience = 400'000;  // looks at a counter, each a fraction of a microsecond

constinit std::uint64_t entry_stamp = 0;
constinit std::uint64_t nanoseconds_per_tick = 0;  // times 2^32
constinit std::array<Estimate, 4> estimates{};     // of the time-stamp counter
constinit Estimate stamp_rate{}, timer_rate{};     // what was chosen

struct StampedHardware {
  static std::uint64_t stamp() { return rdtsc(); }
  static void relax() { spin(500); }
};

// Channel 2 of the 8254, gated through port 61h, speaker off; counts down from 65535 once.
struct Pit : StampedHardware {
  static constexpr std::uint64_t hertz = 1'193'182;
  static constexpr std::uint16_t channel = 0x42, command = 0x43, gate = 0x61;
  static void set_gate(unsigned open) {
    out8(gate, static_cast<std::uint8_t>((in8(gate) & ~3u) | open));
  }
  static void start() {
    set_gate(1);
    out8(command, 0xb0);  // channel 2, low then high byte, mode 0
    out8(channel, 0xff);
    out8(channel, 0xff);
  }
  static std::uint64_t reference() {
    out8(command, 0x80);  // latch channel 2
    const unsigned low = in8(channel);
    return 0xffff - (low | static_cast<unsigned>(in8(channel)) << 8);
  }
};

struct TimerCounter : StampedHardware {
  static std::uint64_t reference() { return 0xffffffff - timer_count(); }
};

template <class Reference>
std::uint64_t measure_stamp_rate(std::uint64_t mask) {
  const auto interval = measure<Reference>(mask, Reference::hertz / 100, patience);
  if (!interval) return 0;
  return snap_to_megahertz(scale(interval->stamp, Reference::hertz, interval->reference));
}

std::uint64_t measure_by_pit() {
  Pit::start();
  const std::uint64_t hertz = measure_stamp_rate<Pit>(0xffff);
  Pit::set_gate(0);
  return hertz;
}

std::uint64_t measure_timer() {
  constexpr std::uint64_t ticks = 2'000'000;
  start_timer(0xffffffff);
  const auto interval = measure<TimerCounter>(0xffffffff, ticks, patience);
  stop_timer();
  if (!interval) return 0;
  return snap_to_megahertz(scale(interval->reference, stamp_rate.hertz, interval->stamp));
}

struct StatedRates {
  std::uint64_t stamp = 0, timer = 0;  // hertz; 0: not stated
};

// Leaf 40000010h, which VMware began and others follow: kHz of both clocks.
StatedRates stated_by_hypervisor() {
  if (!has(feature::hypervisor)) return {};
  const auto leaf = cpuid_leaf(0x40000010);
  return {leaf.eax * 1000ull, leaf.ebx * 1000ull};
}

// Leaf 15h: the core crystal's frequency, and the ratio to it (Intel SDM Vol. 3B §18.7.3). The APIC
// timer then runs at the crystal's rate (Vol. 3A §11.5.4).
StatedRates stated_by_cpu() {
  const auto leaf = cpuid_leaf(0x15);
  if (leaf.eax == 0 || leaf.ebx == 0) return {};
  return {scale(leaf.ecx, leaf.ebx, leaf.eax), leaf.ecx};
}

}  // namespace

void start_clock() {
  const std::uint64_t begin = rdtsc();
  const StatedRates hypervisor = stated_by_hypervisor();
  const StatedRates cpu = stated_by_cpu();
  estimates = {{{"hypervisor", hypervisor.stamp, Quality::Stated},
                {"cpuid", cpu.stamp, Quality::Stated},
                {"pit", measure_by_pit(), Quality::Measured},
                {"nominal", (cpuid_leaf(0x16).eax & 0xffff) * 1'000'000ull, Quality::Nominal}}};
  stamp_rate = choose_frequency(estimates);
  timer_rate = {"deadline", stamp_rate.hertz, Quality::Stated};
  if (!timer_has_deadline()) {
    timer_rate = choose_frequency(
        std::array<Estimate, 3>{{{"hypervisor", hypervisor.timer, Quality::Stated},
                                 {"cpuid", cpu.timer, Quality::Stated},
                                 {"measured", measure_timer(), Quality::Measured}}});
  }
  nanoseconds_per_tick = (second << 32) / stamp_rate.hertz;
  // How long all of this took depends on where the devices' clocks stood. Left out of time, it
  // leaves no trace: where instructions are counted, each boot goes on alike from here.
  entry_stamp += rdtsc() - begin;
}

reprise::Nanoseconds now() {
  __extension__ using Wide = unsigned __int128;
  const Wide ticks = rdtsc() - entry_stamp;
  return reprise::Nanoseconds{static_cast<std::uint64_t>((ticks * nanoseconds_per_tick) >> 32)};
}

std::uint64_t time_stamp() { return rdtsc() - entry_stamp; }

void x86::note_kernel_entry() { entry_stamp = rdtsc(); }

std::uint64_t x86::timer_frequency() { return timer_rate.hertz; }

reprise::TextLine x86::describe_clock() {
  reprise::TextLine line{"clock: time stamp ", stamp_rate.hertz / 1000, " kHz by ",
                         stamp_rate.source, ", timer ", timer_rate.hertz / 1000, " kHz by ",
                         timer_rate.source, "; time stamp by each source:"};
  for (const Estimate& estimate : estimates) {
    if (estimate.hertz != 0) line.append(" ", estimate.source, " ", estimate.hertz / 1000);
  }
  return line;
}

}  // namespace arch
