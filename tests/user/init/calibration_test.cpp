#include "user/init/calibration.hpp"

#include <array>

#include "tests/catch.hpp"

using namespace reprise;
using Quality = Estimate::Quality;

namespace {

// A machine with a reference counter that moves with the time-stamp counter, or stands still. As in
// init, each access takes long and has its effect at a certain point of that time.
struct Device {
  static inline std::uint64_t time = 0;
  std::uint64_t stamps_per_tick = 700;  // 0: the reference does not move
  std::uint64_t mask = 0xffff;
  std::uint64_t disturb_every = 0;  // an SMI of 100,000 stamps after so many accesses
  std::uint64_t first_takes = 0;    // more stamps: memory is not warm yet
  std::uint64_t accesses = 0, latched = 0;

  static std::uint64_t stamp() { return time += 20'000; }
  void latch() {
    if (++accesses == 1) time += first_takes;
    time += 7'000;
    latched = stamps_per_tick == 0 ? mask : time / stamps_per_tick & mask;
    time += 13'000;
    if (disturb_every != 0 && accesses % disturb_every == 0) time += 100'000;
  }
  std::uint64_t count() {
    time += 40'000;
    return latched;
  }
};

constexpr std::uint64_t hertz = 3'579'545;

std::uint64_t measure(Device device, std::uint64_t sleep = 40'000'000) {
  Device::time += 3'141'592;
  const Sample from = read_together(device);
  Device::time += sleep;
  const Sample to = read_together(device);
  return measured_hertz(from, to, device.mask, hertz);
}

// Within 150 parts in a million, of which the reference's granularity is 18.
void check_rate(std::uint64_t found, std::uint64_t stamps_per_tick) {
  CHECK(static_cast<double>(found) ==
        Approx(static_cast<double>(stamps_per_tick * hertz)).epsilon(0.00015));
}

}  // namespace

TEST_CASE("a rate is measured across the reference counter's wrap") {
  for (int i = 0; i < 50; ++i) check_rate(measure({}), 700);
}

TEST_CASE("a reference slower than the time stamp by another factor gives another rate") {
  for (int i = 0; i < 50; ++i) check_rate(measure({.stamps_per_tick = 1200}), 1200);
}

TEST_CASE("a disturbance between the readings does not spoil a rate") {
  for (std::uint64_t every = 2; every < 7; ++every) {
    check_rate(measure({.disturb_every = every}), 700);
  }
}

TEST_CASE("a first access that takes long does not spoil a rate") {
  check_rate(measure({.first_takes = 30'000}), 700);
}

TEST_CASE("a sample's time stamp lies within the access") {
  Device device{.stamps_per_tick = 1, .mask = ~0ull};
  const Sample sample = read_together(device);
  CHECK(sample.stamp > sample.count - 7'000);
  CHECK(sample.stamp < sample.count + 13'000 + 20'000);
}

TEST_CASE("a reference that stands still, or hardly moves, is no answer") {
  CHECK(measure({.stamps_per_tick = 0}) == 0);
  CHECK(measure({}, 0) == 0);  // 714 ticks
}

TEST_CASE("a frequency that no clock has is no answer") {
  CHECK(hertz_or_none(slowest_clock) == slowest_clock);
  CHECK(hertz_or_none(fastest_clock) == fastest_clock);
  CHECK(hertz_or_none(slowest_clock - 1) == 0);
  CHECK(hertz_or_none(fastest_clock + 1) == 0);
  CHECK(measure({.stamps_per_tick = 3000, .mask = 0xffffff}) == 0);  // 10.7 GHz
}

TEST_CASE("the frequency that most sources support is chosen") {
  const std::array estimates{Estimate{"cpuid", 3'000'000'000, Quality::Stated},
                             Estimate{"acpi", 2'400'100'000, Quality::Measured},
                             Estimate{"pit", 2'399'000'000, Quality::Measured}};
  CHECK(choose_frequency(estimates).source == "acpi");
}

TEST_CASE("among agreeing sources the stated one is chosen, and a nominal value only alone") {
  const std::array all{Estimate{"nominal", 2'400'000'000, Quality::Nominal},
                       Estimate{"acpi", 2'395'000'000, Quality::Measured},
                       Estimate{"cpuid", 2'394'000'000, Quality::Stated}};
  CHECK(choose_frequency(all).source == "cpuid");
  CHECK(choose_frequency(std::span{all}.first(2)).source == "acpi");
  CHECK(choose_frequency(std::span{all}.first(1)).source == "nominal");
  const std::array disputed{all[0], Estimate{"acpi", 1'000'000'000, Quality::Measured}};
  CHECK(choose_frequency(disputed).source == "acpi");
}

TEST_CASE("where no two sources agree, a measurement counts more than a statement") {
  const std::array disputed{Estimate{"hypervisor", 1'000'000'000, Quality::Stated},
                            Estimate{"acpi", 2'395'000'000, Quality::Measured}};
  CHECK(choose_frequency(disputed).source == "acpi");
}

TEST_CASE("no source, or only sources that say zero, is taken for 1 GHz") {
  CHECK(choose_frequency({}).hertz == 1'000'000'000);
  const std::array silent{Estimate{"cpuid", 0, Quality::Stated}};
  CHECK(choose_frequency(silent).source == "assumed");
}

TEST_CASE("a frequency close to a whole MHz becomes it, others stay") {
  CHECK(snap_to_megahertz(1'000'028'000) == 1'000'000'000);
  CHECK(snap_to_megahertz(999'950'000) == 1'000'000'000);
  CHECK(snap_to_megahertz(1'000'200'000) == 1'000'200'000);
  CHECK(snap_to_megahertz(24'000'100) == 24'000'000);
  CHECK(snap_to_megahertz(19'200'000) == 19'200'000);
}

TEST_CASE("scaling is exact over many years of ticks") {
  constexpr std::uint64_t hertz = 4'999'999'937;
  constexpr std::uint64_t ten_years = 315'360'000;
  CHECK(scale(ten_years * hertz, 1'000'000'000, hertz) == ten_years * 1'000'000'000);
  CHECK(scale(hertz - 1, 1'000'000'000, hertz) == 999'999'999);
  CHECK(scale(12, 5, 0) == 0);
}
