// How fast the time-stamp counter runs. No single source can be trusted on every machine: CPUID may
// not say, recent chipsets gate the PIT, some firmware hides the ACPI timer. So every source there
// is gives an estimate, measured with bounded waits, and the one that most others support wins.
// Pure logic over a device that is read through a type; clock.cpp has the real ones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace arch {

struct Estimate {
  std::string_view source;
  std::uint64_t hertz;  // 0: the source does not answer
  // Stated by the machine, not measured; or coarse: a nominal value that may be 1 % off.
  enum class Quality : std::uint8_t { Stated, Measured, Nominal } quality;
};

// The estimate with the most others within 1 %; among equals a stated one, because it is exact.
// Where no two agree, what was measured counts more than what was said. Then the earlier. A nominal
// value loses against any other. Without any source time is wrong, but the runs and their
// comparison do not depend on it: 1 GHz is assumed.
[[nodiscard]] constexpr Estimate choose_frequency(std::span<const Estimate> estimates) {
  Estimate best{"assumed", 1'000'000'000, Estimate::Quality::Nominal};
  unsigned best_score = 0;
  for (const Estimate& candidate : estimates) {
    if (candidate.hertz == 0) continue;
    unsigned agreeing = 0;
    for (const Estimate& other : estimates) {
      const std::uint64_t low = other.hertz < candidate.hertz ? other.hertz : candidate.hertz;
      const std::uint64_t high = other.hertz < candidate.hertz ? candidate.hertz : other.hertz;
      if (&other != &candidate && high - low <= high / 100) ++agreeing;
    }
    const auto preferred = agreeing != 0 ? Estimate::Quality::Stated : Estimate::Quality::Measured;
    const bool nominal = candidate.quality == Estimate::Quality::Nominal;
    const unsigned score =
        nominal ? 1 : 2 + 2 * agreeing + (candidate.quality == preferred ? 1 : 0);
    if (score <= best_score) continue;
    best = candidate;
    best_score = score;
  }
  return best;
}

// A measured frequency within 100 parts in a million of a whole MHz is taken for that: closer than
// the measurement is, and an emulator's round clock then comes out the same in each boot.
[[nodiscard]] constexpr std::uint64_t snap_to_megahertz(std::uint64_t hertz) {
  constexpr std::uint64_t megahertz = 1'000'000;
  const std::uint64_t whole = (hertz + megahertz / 2) / megahertz * megahertz;
  const std::uint64_t distance = whole > hertz ? whole - hertz : hertz - whole;
  return distance <= hertz / 10'000 ? whole : hertz;
}

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
    if (took >= least) continue;
    least = took;
    best = {reference, before + took / 2};
  }
  return best;
}

// Lets at least `ticks` of the reference pass (it counts up, modulo mask + 1; `ticks` is well below
// that). Nothing when it does not move, or does not get there within `patience` looks.
// `Hardware::relax()` spins for about a microsecond without touching a device.
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
