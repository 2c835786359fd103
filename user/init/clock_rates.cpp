// The sources of the clocks' rates. A measured source is read only before and after a sleep,
// because each access to a port and each reading of the time stamp ends a processing element. The
// number of readings does not depend on their values, and the kernel then leaves all of them out of
// time. So where instructions are counted, every boot goes on alike from here.
#include "user/init/clock_rates.hpp"

#include <array>

#include "user/init/calibration.hpp"
#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {
namespace {

using Quality = Estimate::Quality;

struct Stamped {
  static std::uint64_t stamp() { return user::time_stamp(); }
};

class PowerCounter : public Stamped {
public:
  static constexpr std::uint64_t hertz = 3'579'545;

  explicit PowerCounter(const PowerTimer& timer) : timer_{timer} {}
  void latch() { count_ = user::in32(timer_.port); }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t mask() const { return timer_.has_32_bits ? 0xffffffff : 0xffffff; }

private:
  const PowerTimer& timer_;
  std::uint64_t count_ = 0;
};

// Channel 2 of the 8254, gated through port 61h, speaker off; counts down from 65535.
class Pit : public Stamped {
public:
  static constexpr std::uint64_t hertz = 1'193'182, mask = 0xffff;

  static void start() {
    set_gate(1);
    user::out8(command, 0xb0);  // channel 2, low then high byte, mode 0
    user::out8(channel, 0xff);
    user::out8(channel, 0xff);
  }
  static void stop() { set_gate(0); }
  // True: the count has passed 0 and goes on below 65535, or there is no PIT.
  static bool has_ended() { return (user::in8(gate) & 0x20) != 0; }

  static void latch() { user::out8(command, 0x80); }
  [[nodiscard]] static std::uint64_t count() {
    const unsigned low = user::in8(channel);
    return mask - (low | static_cast<unsigned>(user::in8(channel)) << 8);
  }

private:
  static constexpr std::uint16_t channel = 0x42, command = 0x43, gate = 0x61;
  static void set_gate(unsigned open) {
    user::out8(gate, static_cast<std::uint8_t>((user::in8(gate) & ~3u) | open));
  }
};

struct Measured {
  std::uint64_t by_acpi = 0, by_pit = 0;  // hertz; 0: no answer
};

// `begin` is the time stamp. It is the kernel's time, too, as long as the kernel assumes 1 GHz.
Measured measure(const PowerTimer& power_timer, std::uint64_t begin) {
  constexpr std::uint64_t interval = 40'000'000;  // the PIT can count 54 ms
  const bool has_power_timer = power_timer.port != 0;
  PowerCounter power{power_timer};
  Pit pit;
  Sample power_from{}, power_to{};
  Pit::start();
  if (has_power_timer) power_from = read_together(power);
  const Sample pit_from = read_together(pit);
  if (machine_report().timer_hertz != 0) user::sleep_until(begin + interval);
  while (static_cast<std::uint64_t>(user::time()) < begin + interval) {
  }  // without a timer, the process spins
  const Sample pit_to = read_together(pit);
  const bool pit_ended = Pit::has_ended();
  if (has_power_timer) power_to = read_together(power);
  Pit::stop();
  const std::uint64_t by_pit =
      pit_ended ? 0 : measured_hertz(pit_from, pit_to, Pit::mask, Pit::hertz);
  return {.by_acpi = measured_hertz(power_from, power_to, power.mask(), PowerCounter::hertz),
          .by_pit = by_pit};
}

struct StatedRates {
  std::uint64_t stamp = 0, timer = 0;  // hertz; 0: not stated
};

// Leaf 40000010h, which VMware began and others follow: kHz of both clocks.
StatedRates stated_by_hypervisor() {
  constexpr std::uint32_t hypervisor = 1u << 31;
  if ((user::cpuid_leaf(1).ecx & hypervisor) == 0) return {};
  const auto leaf = user::cpuid_leaf(0x40000010);
  return {.stamp = hertz_or_none(leaf.eax * 1000ull), .timer = hertz_or_none(leaf.ebx * 1000ull)};
}

// Leaf 15h: the core crystal's frequency, and the ratio to it (Intel SDM Vol. 3B §18.7.3). The APIC
// timer then runs at the crystal's rate (Vol. 3A §11.5.4).
StatedRates stated_by_cpu() {
  const auto leaf = user::cpuid_leaf(0x15);
  if (leaf.eax == 0 || leaf.ebx == 0) return {};
  return {.stamp = hertz_or_none(scale(leaf.ecx, leaf.ebx, leaf.eax)),
          .timer = hertz_or_none(leaf.ecx)};
}

std::uint64_t nominal() {
  return hertz_or_none((user::cpuid_leaf(0x16).eax & 0xffff) * 1'000'000ull);
}

// The timer's frequency, by its ticks in 10^9 of the time stamp, which the kernel has measured.
std::uint64_t measured_timer(std::uint64_t stamp_hertz) {
  constexpr std::uint64_t billion = 1'000'000'000;
  return hertz_or_none(
      snap_to_megahertz(scale(machine_report().timer_hertz, stamp_hertz, billion)));
}

}  // namespace

ClockRates set_clock_rates(const PowerTimer& power_timer) {
  const std::uint64_t begin = user::time_stamp();
  const StatedRates hypervisor = stated_by_hypervisor();
  const StatedRates cpu = stated_by_cpu();
  const Measured measured = measure(power_timer, begin);
  const std::array estimates{
      Estimate{.source = "hypervisor", .hertz = hypervisor.stamp, .quality = Quality::Stated},
      Estimate{.source = "cpuid", .hertz = cpu.stamp, .quality = Quality::Stated},
      Estimate{.source = "acpi", .hertz = measured.by_acpi, .quality = Quality::Measured},
      Estimate{.source = "pit", .hertz = measured.by_pit, .quality = Quality::Measured},
      Estimate{.source = "nominal", .hertz = nominal(), .quality = Quality::Nominal}};
  const Estimate stamp = choose_frequency(estimates);
  const Estimate timer = choose_frequency(std::array{
      Estimate{.source = "hypervisor", .hertz = hypervisor.timer, .quality = Quality::Stated},
      Estimate{.source = "cpuid", .hertz = cpu.timer, .quality = Quality::Stated},
      Estimate{.source = "measured",
               .hertz = measured_timer(stamp.hertz),
               .quality = Quality::Measured}});
  set_clock(stamp.hertz, timer.hertz, begin);
  TextLine line{"clock: time stamp ", stamp.hertz / 1000, " kHz by ",
                stamp.source,         ", timer ",         timer.hertz / 1000,
                " kHz by ",           timer.source,       "; time stamp by each source:"};
  for (const Estimate& estimate : estimates) {
    if (estimate.hertz != 0) line.append(" ", estimate.source, " ", estimate.hertz / 1000);
  }
  say(line);
  return {.stamp = stamp, .timer = timer};
}

}  // namespace reprise
