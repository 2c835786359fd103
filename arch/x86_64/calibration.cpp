// See the header.
#include "arch/x86_64/calibration.hpp"

namespace arch {
namespace {

bool agree(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t difference = a > b ? a - b : b - a;
  return difference <= (a > b ? a : b) / 100;
}

bool better(const Choice& a, const Choice& b) {
  const bool a_nominal = a.estimate.quality == Estimate::Quality::Nominal;
  const bool b_nominal = b.estimate.quality == Estimate::Quality::Nominal;
  if (a_nominal != b_nominal) return b_nominal;
  if (a.agreeing != b.agreeing) return a.agreeing > b.agreeing;
  if (a.agreeing != 0) return a.estimate.quality < b.estimate.quality;
  return a.estimate.quality == Estimate::Quality::Measured &&
         b.estimate.quality == Estimate::Quality::Stated;
}

}  // namespace

std::optional<Choice> choose_frequency(std::span<const Estimate> estimates) {
  std::optional<Choice> best;
  for (const Estimate& candidate : estimates) {
    if (candidate.hertz == 0) continue;
    Choice choice{candidate, 0};
    for (const Estimate& other : estimates) {
      if (&other != &candidate && agree(candidate.hertz, other.hertz)) ++choice.agreeing;
    }
    if (!best || better(choice, *best)) best = choice;
  }
  return best;
}

std::uint64_t snap_to_megahertz(std::uint64_t hertz) {
  constexpr std::uint64_t megahertz = 1'000'000;
  const std::uint64_t whole = (hertz + megahertz / 2) / megahertz * megahertz;
  const std::uint64_t distance = whole > hertz ? whole - hertz : hertz - whole;
  return distance <= hertz / 10'000 ? whole : hertz;
}

}  // namespace arch
