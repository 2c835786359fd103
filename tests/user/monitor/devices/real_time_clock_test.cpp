#include "user/monitor/devices/real_time_clock.hpp"

#include "tests/catch.hpp"
#include "user/monitor/devices/civil_time.hpp"

namespace {

using monitor::GuestTime;
using monitor::RealTimeClock;

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t leap_day_end = 1'709'251'199;  // 2024-02-29 23:59:59, a Thursday

struct Clock {
  RealTimeClock clock{leap_day_end, 128 << 20};
  std::uint64_t now = 0;

  unsigned read(unsigned index) {
    clock.write({.port = 0x70, .bytes = 1, .now = GuestTime{now}}, index);
    return clock.read({.port = 0x71, .bytes = 1, .now = GuestTime{now}});
  }
  void write(unsigned index, unsigned value) {
    clock.write({.port = 0x70, .bytes = 1, .now = GuestTime{now}}, index);
    clock.write({.port = 0x71, .bytes = 1, .now = GuestTime{now}}, value);
  }
  bool interrupts() { return clock.interrupts(GuestTime{now}); }
  std::uint64_t next() { return clock.next_event(GuestTime{now}).value(); }
};

}  // namespace

TEST_CASE("the date of each second since 1970 is the way back of its number") {
  for (std::uint64_t s = 0; s < 8'000'000'000; s += 86'399 * 3 + 12'345) {
    REQUIRE(drivers::seconds_since_1970(monitor::civil_time(s)) == s);
  }
  CHECK(monitor::civil_time(leap_day_end) == drivers::CivilTime{2024, 2, 29, 23, 59, 59});
}

TEST_CASE("the clock shows the time in decimal code and goes on with the guest's") {
  Clock c;
  CHECK(c.read(0) == 0x59);
  CHECK(c.read(2) == 0x59);
  CHECK(c.read(4) == 0x23);
  CHECK(c.read(6) == 5);
  CHECK(c.read(7) == 0x29);
  CHECK(c.read(8) == 0x02);
  CHECK(c.read(9) == 0x24);
  CHECK(c.read(0x32) == 0x20);
  c.now = second;
  CHECK(c.read(0) == 0x00);
  CHECK(c.read(4) == 0x00);
  CHECK(c.read(6) == 6);
  CHECK(c.read(7) == 0x01);
  CHECK(c.read(8) == 0x03);
}

TEST_CASE("binary and 12-hour formats") {
  Clock c;
  c.write(0x0b, 0x06);
  CHECK(c.read(0) == 59);
  CHECK(c.read(4) == 23);
  c.write(0x0b, 0x00);
  CHECK(c.read(4) == 0x91);  // 11 in the evening
  c.now = second;
  CHECK(c.read(4) == 0x12);  // midnight
  c.write(0x0b, 0x04);
  c.now = 13 * 3'600 * second;
  CHECK(c.read(4) == 0x8c);  // noon, nearly one
}

TEST_CASE("an update is announced 244 us before its 1,984 us, and is over with the new second") {
  Clock c;
  CHECK(c.read(0x0a) == 0x26);
  c.now = second - 2'228'001;
  CHECK((c.read(0x0a) & 0x80) == 0);
  c.now = second - 2'228'000;
  CHECK((c.read(0x0a) & 0x80) != 0);
  c.now = second - 1;
  CHECK((c.read(0x0a) & 0x80) != 0);
  c.now = second;
  CHECK((c.read(0x0a) & 0x80) == 0);
}

TEST_CASE("a time that is set while the clock stands goes on from the moment that it runs") {
  Clock c;
  c.now = 5 * second + 1;
  c.write(0x0b, 0x82);
  c.write(0, 0x30);
  c.write(2, 0x15);
  c.write(4, 0x08);
  c.write(7, 0x31);
  c.write(8, 0x12);
  c.write(9, 0x99);
  c.write(0x32, 0x19);
  c.now = 9 * second;
  CHECK(c.read(0) == 0x30);
  CHECK((c.read(0x0a) & 0x80) == 0);
  c.write(0x0b, 0x02);
  CHECK(c.read(0) == 0x30);
  c.now = 10 * second;
  CHECK(c.read(0) == 0x31);
  CHECK(c.read(2) == 0x15);
  CHECK(c.read(9) == 0x99);
  CHECK(c.read(0x32) == 0x19);
}

TEST_CASE("the update interrupt comes each second until status C is read") {
  Clock c;
  CHECK(c.next() == ~std::uint64_t{0});
  c.write(0x0b, 0x12);
  CHECK_FALSE(c.interrupts());
  CHECK(c.next() == second);
  c.now = second;
  CHECK(c.interrupts());
  CHECK(c.next() == ~std::uint64_t{0});  // nothing new before it is read
  CHECK(c.read(0x0c) == 0xf0);           // the alarm's registers are 0, and it is midnight
  CHECK(c.read(0x0c) == 0x00);
  CHECK_FALSE(c.interrupts());
  CHECK(c.next() == 2 * second);
}

TEST_CASE("flags are set without their interrupts, too") {
  Clock c;
  c.now = second / 2;
  CHECK_FALSE(c.interrupts());
  CHECK(c.read(0x0c) == 0x40);
  c.now = 3 * second;
  CHECK_FALSE(c.interrupts());
  CHECK(c.read(0x0c) == 0x70);  // the alarm's registers are 0, and midnight was
}

TEST_CASE("the alarm meets its time, or any where both high bits are set") {
  Clock c;
  c.write(1, 0x02);
  c.write(3, 0xc0);
  c.write(5, 0xff);
  c.write(0x0b, 0x22);
  c.now = 2 * second;
  CHECK_FALSE(c.interrupts());
  c.now = 3 * second;  // 00:00:02
  CHECK(c.interrupts());
  CHECK((c.read(0x0c) & 0xa0) == 0xa0);
  c.now = 62 * second;
  CHECK_FALSE(c.interrupts());
  c.now = 100 * second;  // 00:01:02 lies between
  CHECK(c.interrupts());
}

TEST_CASE("the periodic interrupt has the rate of status A") {
  Clock c;
  c.write(0x0a, 0x2f);  // 2 Hz
  c.write(0x0b, 0x42);
  CHECK(c.next() == second / 2);
  c.now = second / 2 - 1;
  CHECK_FALSE(c.interrupts());
  c.now = second / 2;
  CHECK(c.interrupts());
  CHECK((c.read(0x0c) & 0xc0) == 0xc0);
  c.write(0x0a, 0x26);  // 1,024 Hz
  CHECK(c.next() - c.now <= second / 1024 + 1);
  c.write(0x0a, 0x20);
  CHECK(c.next() == ~std::uint64_t{0});
}

TEST_CASE("memory sizes stand where firmware leaves them, and other bytes are kept") {
  Clock c;
  CHECK((c.read(0x15) | c.read(0x16) << 8) == 640);
  CHECK((c.read(0x17) | c.read(0x18) << 8) == 0xffff);
  CHECK((c.read(0x30) | c.read(0x31) << 8) == 0xffff);
  CHECK((c.read(0x34) | c.read(0x35) << 8) == 112 * 16);
  CHECK(c.read(0x0d) == 0x80);
  c.write(0x50, 0x5a);
  CHECK(c.read(0x50) == 0x5a);
  CHECK(c.read(0xd0) == 0x5a);  // the index's highest bit masks NMIs
}
