// How fast the time-stamp counter runs. No single source can be trusted on every machine: CPUID may
// not say, recent chipsets gate the PIT, some firmware hides the ACPI timer. So every source there
// is gives an estimate, and the one that most others support wins. Pure logic over a device that is
// read through a type; clock_rates.cpp has the real ones.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "kernel/base/arithmetic.hpp"

namespace reprise {

struct Estimate {
  std::string_view source;
  std::uint64_t hertz;  // 0: the source does not answer, or what no clock can be
  // Stated: the machine says it, nothing was measured. Coarse: a nominal value, up to 1 % off.
  enum class Quality : std::uint8_t { Stated, Measured, Nominal } quality;
};

// The estimate with the most others within 1 %. Among equals a stated one wins, because it is
// exact. Where no two agree, a measured one wins over a stated one, and then the earlier. A nominal
// value loses against any other. Without any source 1 GHz is assumed: time is wrong then, but the
// runs and their comparison do not depend on it.
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

// Rounds a measured frequency that lies within 100 parts in a million of a whole MHz. The
// measurement is less exact than that, and an emulator's round clock comes out the same in each
// boot.
[[nodiscard]] constexpr std::uint64_t snap_to_megahertz(std::uint64_t hertz) {
  constexpr std::uint64_t megahertz = 1'000'000;
  const std::uint64_t whole = (hertz + megahertz / 2) / megahertz * megahertz;
  const std::uint64_t distance = whole > hertz ? whole - hertz : hertz - whole;
  return distance <= hertz / 10'000 ? whole : hertz;
}

// A frequency that no clock has counts as no answer.
[[nodiscard]] constexpr std::uint64_t hertz_or_none(std::uint64_t hertz) {
  return hertz >= slowest_clock && hertz <= fastest_clock ? hertz : 0;
}

struct Sample {
  std::uint64_t count;  // of a reference counter
  std::uint64_t stamp;  // the time-stamp counter then
};

// Reads both counters at (nearly) one moment. The quickest of a few tries counts, so that an SMI or
// a preempted virtual machine does not spoil the reading. Device::latch() notes the count by one
// access, count() says what it was, Device::stamp() reads the time-stamp counter. The work between
// these takes equally long in two samples, and so cancels in their difference.
template <class Device>
Sample read_together(Device& device) {
  Sample best{};
  std::uint64_t least = ~std::uint64_t{0};
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::uint64_t before = Device::stamp();
    device.latch();
    const std::uint64_t took = Device::stamp() - before;
    const std::uint64_t count = device.count();
    if (took >= least) continue;
    least = took;
    best = {count, before + took / 2};
  }
  return best;
}

// The time-stamp counter's frequency between two samples. The reference counts up at
// `reference_hertz`, modulo mask + 1, and wrapped at most once. 0: it stood (almost) still.
[[nodiscard]] constexpr std::uint64_t measured_hertz(const Sample& from, const Sample& to,
                                                     std::uint64_t mask,
                                                     std::uint64_t reference_hertz) {
  constexpr std::uint64_t fewest = 1000;  // for an error of a thousandth
  const std::uint64_t passed = (to.count - from.count) & mask;
  if (passed < fewest) return 0;
  const std::uint64_t hertz = scale(to.stamp - from.stamp, reference_hertz, passed);
  return hertz_or_none(snap_to_megahertz(hertz));
}

}  // namespace reprise
