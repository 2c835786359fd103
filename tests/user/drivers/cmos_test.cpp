#include "user/drivers/cmos.hpp"

#include <array>
#include <ctime>

#include "tests/catch.hpp"

using drivers::CivilTime;

namespace {

struct Chip {
  static inline std::array<std::uint8_t, 128> registers{};
  static inline std::uint8_t index = 0;
  static inline unsigned busy_looks = 0;    // how often status A still says "updating"
  static inline unsigned tick_at_read = 0;  // the seconds advance at this read of the data port
  static inline unsigned reads = 0;

  static void set(std::array<std::uint8_t, 6> date, std::uint8_t status_b, std::uint8_t century) {
    registers.fill(0);
    registers[9] = date[0];
    registers[8] = date[1];
    registers[7] = date[2];
    registers[4] = date[3];
    registers[2] = date[4];
    registers[0] = date[5];
    registers[11] = status_b;
    registers[0x32] = century;
    busy_looks = tick_at_read = reads = 0;
  }
  static void write8(std::uint16_t port, std::uint8_t value) {
    if (port == 0x70) index = value;
  }
  static std::uint8_t read8(std::uint16_t port) {
    if (port != 0x71 || index >= 128) return 0xff;
    if (++reads == tick_at_read) registers[0] = 0, registers[2]++;
    if (index == 10 && busy_looks > 0) return --busy_looks, std::uint8_t{0x80};
    return registers[index];
  }
};

auto read_clock(std::uint8_t century) { return drivers::read_cmos_clock<Chip>(century); }

}  // namespace

TEST_CASE("a date reads the same in BCD and binary, 24-hour and 12-hour clocks") {
  const CivilTime expected{2024, 2, 29, 23, 58, 7};
  Chip::set({0x24, 0x02, 0x29, 0x23, 0x58, 0x07}, 2, 0x20);
  CHECK(read_clock(0x32) == expected);
  Chip::set({24, 2, 29, 23, 58, 7}, 6, 20);
  CHECK(read_clock(0x32) == expected);
  Chip::set({0x24, 0x02, 0x29, 0x91, 0x58, 0x07}, 0, 0x20);
  CHECK(read_clock(0x32) == expected);
  Chip::set({24, 2, 29, 0x80 | 11, 58, 7}, 4, 20);
  CHECK(read_clock(0x32) == expected);
}

TEST_CASE("twelve o'clock at night is hour 0, at noon hour 12") {
  Chip::set({0x24, 0x01, 0x01, 0x12, 0x00, 0x00}, 0, 0x20);
  CHECK(read_clock(0x32)->hour == 0);
  Chip::set({0x24, 0x01, 0x01, 0x92, 0x00, 0x00}, 0, 0x20);
  CHECK(read_clock(0x32)->hour == 12);
}

TEST_CASE("without a century register, or with nonsense in it, the century is the 21st") {
  Chip::set({0x31, 0x12, 0x31, 0x00, 0x00, 0x00}, 2, 0x77);
  CHECK(read_clock(0)->year == 2031);
  CHECK(read_clock(0x32)->year == 2031);
}

TEST_CASE("a reading waits while the clock is being updated, but not for ever") {
  Chip::set({0x24, 0x06, 0x01, 0x10, 0x20, 0x30}, 2, 0x20);
  Chip::busy_looks = 1000;
  CHECK(read_clock(0x32));
  Chip::busy_looks = ~0u;
  CHECK_FALSE(read_clock(0x32));
}

TEST_CASE("a second that passes while the clock is read is never seen half") {
  for (unsigned at = 1; at < 30; ++at) {
    Chip::set({0x24, 0x06, 0x01, 0x10, 0x20, 0x59}, 2, 0x20);
    Chip::tick_at_read = at;
    const auto time = read_clock(0x32);
    REQUIRE(time);
    INFO(at);
    CHECK(
        ((time->minute == 20 && time->second == 59) || (time->minute == 21 && time->second == 0)));
  }
}

TEST_CASE("a chip that is not there gives no date") {
  Chip::set({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0xff, 0xff);
  CHECK_FALSE(read_clock(0x32));
}

TEST_CASE("seconds since 1970 agree with the C library for every day of 230 years") {
  for (std::int64_t day = 0; day < 84'000; ++day) {
    const std::time_t seconds = day * 86'400 + 45'296;
    std::tm t{};
    gmtime_r(&seconds, &t);
    const CivilTime civil{
        static_cast<std::uint32_t>(t.tm_year + 1900), static_cast<std::uint32_t>(t.tm_mon + 1),
        static_cast<std::uint32_t>(t.tm_mday),        static_cast<std::uint32_t>(t.tm_hour),
        static_cast<std::uint32_t>(t.tm_min),         static_cast<std::uint32_t>(t.tm_sec)};
    REQUIRE(drivers::seconds_since_1970(civil) == static_cast<std::uint64_t>(seconds));
  }
}
