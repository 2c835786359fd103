// How fast the time-stamp counter runs. No single source can be trusted on every machine: CPUID may
// not say, recent chipsets gate the PIT, some firmware hides the ACPI timer. So every source there
// is gives an estimate, measured with bounded waits, and the one that most others support wins.
// Pure logic over a device that is read through a type; clock.cpp has the real ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace arch {

struct Estimate {
  std::string_view source;
  std::uint64_t hertz;
  // Stated by the machine, not measured; or coarse: a nominal value that may be 1 % off.
  enum class Quality : std::uint8_t { Stated, Measured, Nominal } quality;
};

struct Choice {
  Estimate estimate;
  unsigned agreeing;  // other sources within 1 %
};

// The estimate with the most others within 1 %; among equals a stated one, because it is exact.
// Where no two agree, what was measured counts more than what was said. Then the earlier. A nominal
// value loses against any other.
[[nodiscard]] std::optional<Choice> choose_frequency(std::span<const Estimate> estimates);

// A measured frequency within 100 parts in a million of a whole MHz is taken for that: closer than
// the measurement is, and an emulator's round clock then comes out the same in each boot.
[[nodiscard]] std::uint64_t snap_to_megahertz(std::uint64_t hertz);

struct Interval {
  std::uint64_t reference;  // ticks of the reference counter
  std::uint64_t stamp;      // ticks of the time-stamp counter meanwhile
};

// Both counters at (nearly) one moment: of a few tries the one that took least time, so that an
// SMI or a preempted virtual machine does not spoil the reading.
template <class Hardware>
Interval read_together() {
  Interval best{};
  std::uint64_t least = ~std::uint64_t{0};
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::uint64_t before = Hardware::stamp();
    const std::uint64_t reference = Hardware::reference();
    const std::uint64_t took = Hardware::stamp() - before;
    if (took < least) {
      least = took;
      best = {reference, before + took / 2};
    }
  }
  return best;
}

// Lets at least `ticks` of the reference pass (it counts up, modulo mask + 1; `ticks` is well below
// that). Nothing when it does not move, or does not get there within `patience` looks.
// `Hardware::relax()` spins for about a microsecond without touching a device: emulators pay
// dearly for each access to one.
template <class Hardware>
std::optional<Interval> measure(std::uint64_t mask, std::uint64_t ticks, unsigned patience) {
  constexpr unsigned looks_until_movement = 20'000;
  const Interval start = read_together<Hardware>();
  for (unsigned look = 0; look < patience; ++look) {
    Hardware::relax();
    const std::uint64_t passed = (Hardware::reference() - start.reference) & mask;
    if (passed >= ticks) {
      const Interval end = read_together<Hardware>();
      return Interval{(end.reference - start.reference) & mask, end.stamp - start.stamp};
    }
    if (passed == 0 && look == looks_until_movement) return std::nullopt;
  }
  return std::nullopt;
}

// ticks * hertz / of, exact as long as of * hertz fits into 64 bits, whatever `ticks` is.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t ticks, std::uint64_t hertz,
                                            std::uint64_t of) {
  return of == 0 ? 0 : ticks / of * hertz + ticks % of * hertz / of;
}

}  // namespace arch
