#include "arch/x86_64/calibration.hpp"

#include <array>

#include "tests/catch.hpp"

using arch::Estimate;
using Quality = arch::Estimate::Quality;

namespace {

// A machine whose reference counter moves with its time-stamp counter, or stands still.
struct Machine {
  static inline std::uint64_t time = 0;
  static inline std::uint64_t stamps_per_tick = 0;  // 0: the reference does not move
  static inline std::uint64_t mask = 0;
  static inline std::uint64_t disturb_every = 0;    // an SMI of 100,000 stamps after so many reads
  static inline std::uint64_t reads = 0;

  static void reset(std::uint64_t per_tick, std::uint64_t width_mask) {
    time = 12'345;
    stamps_per_tick = per_tick;
    mask = width_mask;
    disturb_every = reads = 0;
  }
  static std::uint64_t stamp() { return time += 20; }
  static std::uint64_t reference() {
    time += 300;
    const std::uint64_t value = stamps_per_tick == 0 ? 7 : (time / stamps_per_tick) & mask;
    time += 300;
    if (disturb_every != 0 && ++reads % disturb_every == 0) time += 100'000;
    return value;
  }
  static void relax() { time += 1000; }
};

}  // namespace

TEST_CASE("an interval is measured across the reference counter's wrap") {
  Machine::reset(700, 0xffff);
  for (int i = 0; i < 50; ++i) {
    const auto interval = arch::measure<Machine>(0xffff, 20'000, 1'000'000);
    REQUIRE(interval);
    CHECK(interval->reference >= 20'000);
    CHECK(static_cast<double>(interval->stamp) / static_cast<double>(interval->reference) ==
          Approx(700).epsilon(0.0002));
    Machine::time += 3'141'592;
  }
}

TEST_CASE("a disturbance between the two readings does not spoil an interval") {
  Machine::reset(700, 0xffffff);
  Machine::disturb_every = 3;
  const auto interval = arch::measure<Machine>(0xffffff, 20'000, 1'000'000);
  REQUIRE(interval);
  CHECK(static_cast<double>(interval->stamp) / static_cast<double>(interval->reference) ==
        Approx(700).epsilon(0.0002));
}

TEST_CASE("a reference that stands still, or is too slow, is given up") {
  Machine::reset(0, 0xffff);
  CHECK_FALSE(arch::measure<Machine>(0xffff, 10, 1'000'000));
  CHECK(Machine::time < 1'000'000ull * 100);  // long before its patience ends
  Machine::reset(1'000'000, 0xffff);
  CHECK_FALSE(arch::measure<Machine>(0xffff, 10'000, 30'000));
}

TEST_CASE("the frequency that most sources support is chosen") {
  const std::array estimates{Estimate{"cpuid", 3'000'000'000, Quality::Stated},
                             Estimate{"acpi", 2'400'100'000, Quality::Measured},
                             Estimate{"pit", 2'399'000'000, Quality::Measured}};
  CHECK(arch::choose_frequency(estimates).source == "acpi");
}

TEST_CASE("among agreeing sources the stated one is chosen, and a nominal value only alone") {
  const std::array all{Estimate{"nominal", 2'400'000'000, Quality::Nominal},
                       Estimate{"acpi", 2'395'000'000, Quality::Measured},
                       Estimate{"cpuid", 2'394'000'000, Quality::Stated}};
  CHECK(arch::choose_frequency(all).source == "cpuid");
  CHECK(arch::choose_frequency(std::span{all}.first(2)).source == "acpi");
  CHECK(arch::choose_frequency(std::span{all}.first(1)).source == "nominal");
  const std::array disputed{all[0], Estimate{"acpi", 1'000'000'000, Quality::Measured}};
  CHECK(arch::choose_frequency(disputed).source == "acpi");
}

TEST_CASE("where no two sources agree, a measurement counts more than a statement") {
  const std::array disputed{Estimate{"hypervisor", 1'000'000'000, Quality::Stated},
                            Estimate{"acpi", 2'395'000'000, Quality::Measured}};
  CHECK(arch::choose_frequency(disputed).source == "acpi");
}

TEST_CASE("no source, or only sources that say zero, is taken for 1 GHz") {
  CHECK(arch::choose_frequency({}).hertz == 1'000'000'000);
  const std::array silent{Estimate{"cpuid", 0, Quality::Stated}};
  CHECK(arch::choose_frequency(silent).source == "assumed");
}

TEST_CASE("a frequency close to a whole MHz becomes it, others stay") {
  CHECK(arch::snap_to_megahertz(1'000'028'000) == 1'000'000'000);
  CHECK(arch::snap_to_megahertz(999'950'000) == 1'000'000'000);
  CHECK(arch::snap_to_megahertz(1'000'200'000) == 1'000'200'000);
  CHECK(arch::snap_to_megahertz(24'000'100) == 24'000'000);
  CHECK(arch::snap_to_megahertz(19'200'000) == 19'200'000);
}

TEST_CASE("scaling is exact over many years of ticks") {
  constexpr std::uint64_t hertz = 4'999'999'937;
  constexpr std::uint64_t ten_years = 315'360'000;
  CHECK(arch::scale(ten_years * hertz, 1'000'000'000, hertz) == ten_years * 1'000'000'000);
  CHECK(arch::scale(hertz - 1, 1'000'000'000, hertz) == 999'999'999);
  CHECK(arch::scale(12, 5, 0) == 0);
}
