#include "user/monitor/devices/interval_timer.hpp"

#include "tests/catch.hpp"

namespace {

using monitor::GuestTime;
using monitor::IntervalTimer;

// Time counts in ticks of the timer here. A count takes effect one tick after it was written.
struct Timer {
  IntervalTimer timer;
  std::uint64_t tick = 0;

  // The first nanosecond of that tick.
  static GuestTime at(std::uint64_t tick) {
    constexpr std::uint64_t hertz = IntervalTimer::hertz;
    return GuestTime{tick / hertz * 1'000'000'000 +
                     (tick % hertz * 1'000'000'000 + hertz - 1) / hertz};
  }
  void write(std::uint16_t port, unsigned value) {
    timer.write({.port = port, .bytes = 1, .now = at(tick)}, value);
  }
  unsigned read(std::uint16_t port) {
    return timer.read({.port = port, .bytes = 1, .now = at(tick)});
  }
  void program(unsigned channel, unsigned mode, unsigned count) {
    write(0x43, channel << 6 | 0x30 | mode << 1);
    write(static_cast<std::uint16_t>(0x40 + channel), count & 0xff);
    write(static_cast<std::uint16_t>(0x40 + channel), count >> 8);
  }
  unsigned count(unsigned channel) {
    const auto port = static_cast<std::uint16_t>(0x40 + channel);
    write(0x43, channel << 6);
    const unsigned low = read(port);
    return low | read(port) << 8;
  }
  unsigned status(unsigned channel) {
    write(0x43, 0xe0u | 2u << channel);
    return read(static_cast<std::uint16_t>(0x40 + channel));
  }
  bool output(unsigned channel) { return (status(channel) & 0x80) != 0; }
  bool rose() { return timer.take_line(at(tick)).rose; }
  std::uint64_t next() { return timer.next_event(at(tick)).value(); }
};

}  // namespace

TEST_CASE("mode 0: the output is low until the count is over, and goes on counting") {
  Timer t;
  t.tick = 100;
  t.program(0, 0, 10);
  CHECK_FALSE(t.output(0));
  CHECK((t.status(0) & 0x40) != 0);  // null count: not loaded yet
  t.tick = 101;
  CHECK((t.status(0) & 0x7f) == 0x30);
  CHECK(t.count(0) == 10);
  t.tick = 105;
  CHECK(t.count(0) == 6);
  CHECK_FALSE(t.rose());
  t.tick = 110;
  CHECK_FALSE(t.output(0));
  t.tick = 111;  // N + 1 ticks behind the write
  CHECK(t.output(0));
  CHECK(t.count(0) == 0);
  CHECK(t.rose());
  CHECK_FALSE(t.rose());
  t.tick = 112;
  CHECK(t.count(0) == 0xffff);
  CHECK(t.output(0));
  CHECK(t.next() == ~std::uint64_t{0});
}

TEST_CASE("mode 0: a new count starts again, and its first byte lowers the output") {
  Timer t;
  t.program(0, 0, 5);
  t.tick = 50;
  CHECK(t.output(0));
  t.write(0x40, 3);
  CHECK_FALSE(t.output(0));
  t.tick = 60;
  CHECK_FALSE(t.output(0));
  t.write(0x40, 0);
  t.tick = 63;
  CHECK_FALSE(t.output(0));
  t.tick = 64;
  CHECK(t.output(0));
}

TEST_CASE("mode 2: an edge at each period, the output low for the last tick") {
  Timer t;
  t.program(0, 2, 1000);
  CHECK(t.output(0));
  CHECK_FALSE(t.rose());
  t.tick = 1;
  CHECK(t.count(0) == 1000);
  t.tick = 1000;
  CHECK(t.count(0) == 1);
  CHECK_FALSE(t.output(0));
  CHECK_FALSE(t.rose());
  CHECK(t.next() == Timer::at(1001).value());
  t.tick = 1001;
  CHECK(t.output(0));
  CHECK(t.count(0) == 1000);
  CHECK(t.rose());
  CHECK_FALSE(t.rose());
  CHECK(t.next() == Timer::at(2001).value());
  t.tick = 5000;  // several edges between two looks are one
  CHECK(t.rose());
  CHECK_FALSE(t.rose());
}

TEST_CASE("mode 2: a new count waits for the end of the period") {
  Timer t;
  t.program(0, 2, 1000);
  t.tick = 500;
  t.write(0x40, 100);
  t.write(0x40, 0);
  CHECK(t.count(0) == 501);
  CHECK((t.status(0) & 0x40) != 0);
  t.tick = 1001;
  CHECK(t.count(0) == 100);
  CHECK((t.status(0) & 0x40) == 0);
  CHECK(t.rose());
  CHECK(t.next() == Timer::at(1101).value());
  t.tick = 1100;
  CHECK_FALSE(t.rose());
  t.tick = 1101;
  CHECK(t.rose());
}

TEST_CASE("mode 3: half the time high, half low, counting by twos") {
  Timer t;
  t.program(0, 3, 10);
  t.tick = 1;
  CHECK(t.output(0));
  CHECK(t.count(0) == 10);
  t.tick = 3;
  CHECK(t.count(0) == 6);
  t.tick = 5;
  CHECK(t.output(0));
  t.tick = 6;
  CHECK_FALSE(t.output(0));
  CHECK(t.count(0) == 10);
  CHECK_FALSE(t.rose());
  t.tick = 11;
  CHECK(t.output(0));
  CHECK(t.rose());
  CHECK(t.next() == Timer::at(21).value());
}

TEST_CASE("mode 3: of an odd count the high half is one tick longer") {
  Timer t;
  t.program(0, 3, 5);
  const bool expected[]{true, true, true, false, false, true, true, true, false, false};
  const unsigned counts[]{4, 2, 0, 4, 2, 4, 2, 0, 4, 2};
  for (unsigned i = 0; i < 10; ++i) {
    CAPTURE(i);
    t.tick = 1 + i;
    CHECK(t.output(0) == expected[i]);
    CHECK(t.count(0) == counts[i]);
  }
}

TEST_CASE("mode 3: a new count begins with the next half") {
  Timer t;
  t.program(0, 3, 100);
  t.tick = 20;
  t.write(0x40, 10);
  t.write(0x40, 0);
  t.tick = 51;
  CHECK_FALSE(t.output(0));
  t.tick = 55;
  CHECK_FALSE(t.output(0));
  CHECK(t.next() == Timer::at(56).value());
  t.tick = 56;
  CHECK(t.output(0));
  CHECK(t.rose());
  t.tick = 61;
  CHECK_FALSE(t.output(0));
}

TEST_CASE("mode 4: one tick low when the count is over, then an edge, and no second one") {
  Timer t;
  t.program(0, 4, 10);
  CHECK(t.output(0));
  t.tick = 10;
  CHECK(t.output(0));
  t.tick = 11;
  CHECK_FALSE(t.output(0));
  CHECK_FALSE(t.rose());
  t.tick = 12;
  CHECK(t.output(0));
  CHECK(t.rose());
  CHECK(t.next() == ~std::uint64_t{0});
  t.program(0, 4, 7);  // the way of Linux's one-shot clock event
  CHECK_FALSE(t.rose());
  CHECK(t.next() <= Timer::at(20).value());
  t.tick = 20;
  CHECK_FALSE(t.rose());
  t.tick = 21;
  CHECK(t.rose());
}

TEST_CASE("modes 1 and 5 wait for the gate, which channel 2 has in port 61h") {
  Timer t;
  t.program(2, 1, 10);
  t.tick = 50;
  CHECK(t.output(2));
  t.write(0x61, 1);
  t.tick = 51;
  CHECK_FALSE(t.output(2));
  t.tick = 61;
  CHECK(t.output(2));
  t.write(0x61, 0);
  t.program(2, 5, 10);
  t.write(0x61, 1);
  t.tick = 71;
  CHECK(t.output(2));
  t.tick = 72;
  CHECK_FALSE(t.output(2));
  t.tick = 73;
  CHECK(t.output(2));
}

TEST_CASE("channel 2's gate stops and continues mode 0, and its output is in port 61h") {
  Timer t;
  t.program(2, 0, 20);
  t.tick = 1000;
  CHECK(t.count(2) == 20);  // the gate is low after power-on
  CHECK((t.read(0x61) & 0x20) == 0);
  t.write(0x61, 1);
  t.tick = 1010;
  CHECK(t.count(2) == 10);
  t.write(0x61, 0);
  t.tick = 1500;
  CHECK(t.count(2) == 10);
  t.write(0x61, 1);
  t.tick = 1509;
  CHECK((t.read(0x61) & 0x21) == 0x01);
  t.tick = 1510;
  CHECK((t.read(0x61) & 0x21) == 0x21);
}

TEST_CASE("a low gate holds mode 2's output high, and its rise starts the period again") {
  Timer t;
  t.write(0x61, 1);
  t.program(2, 2, 10);
  t.tick = 10;
  CHECK_FALSE(t.output(2));
  t.write(0x61, 0);
  CHECK(t.output(2));
  t.tick = 100;
  t.write(0x61, 1);
  t.tick = 101;
  CHECK(t.count(2) == 10);
  t.tick = 110;
  CHECK_FALSE(t.output(2));
}

TEST_CASE("a latched count stays until it is read, and a second latch does not replace it") {
  Timer t;
  t.program(0, 2, 1000);
  t.tick = 11;
  t.write(0x43, 0x00);
  t.tick = 500;
  t.write(0x43, 0x00);
  const unsigned low = t.read(0x40);
  CHECK((low | t.read(0x40) << 8) == 990);
  const unsigned now = t.read(0x40);  // not latched: as it is
  CHECK((now | t.read(0x40) << 8) == 501);
}

TEST_CASE("read-back gives status before count, for the channels that it names") {
  Timer t;
  t.program(0, 2, 1000);
  t.program(1, 3, 0x1234);
  t.tick = 3;
  t.write(0x43, 0xc0 | 2 | 4);
  t.tick = 400;
  CHECK(t.read(0x40) == 0xb4);
  CHECK(t.read(0x40) == (998 & 0xff));
  CHECK(t.read(0x40) == 998 >> 8);
  CHECK(t.read(0x41) == 0xb6);
}

TEST_CASE("single-byte access, decimal counting, and a count of 0") {
  Timer t;
  t.write(0x43, 0x10);  // low byte only, mode 0
  t.write(0x40, 100);
  t.tick = 2;
  CHECK(t.read(0x40) == 99);
  t.write(0x43, 0x20);  // high byte only
  t.write(0x40, 2);
  t.tick = 3;
  CHECK(t.read(0x40) == 2);
  t.write(0x43, 0x35);  // mode 2, decimal
  t.write(0x40, 0x00);
  t.write(0x40, 0x10);  // 1000
  t.tick = 6;
  t.write(0x43, 0x00);
  CHECK(t.read(0x40) == 0x98);
  CHECK(t.read(0x40) == 0x09);
  t.tick = 0;
  Timer whole;
  whole.program(0, 2, 0);
  whole.tick = 65'536;
  CHECK_FALSE(whole.rose());
  whole.tick = 65'537;
  CHECK(whole.rose());
}

TEST_CASE("an event's time is the first nanosecond at which it has happened") {
  for (const std::uint64_t count : {2u, 3u, 4773u, 11932u, 65535u}) {
    Timer t;
    t.program(0, 2, static_cast<unsigned>(count));
    // The load comes first; it may be answered as an event.
    GuestTime now{0};
    unsigned rises = 0;
    for (unsigned i = 0; i < 50; ++i) {
      const GuestTime next = t.timer.next_event(now);
      REQUIRE(next > now);
      REQUIRE_FALSE(t.timer.take_line(GuestTime{next.value() - 1}).rose);
      if (t.timer.take_line(next).rose) ++rises;
      now = next;
    }
    CHECK(rises >= 49);
  }
}

TEST_CASE("the refresh bit of port 61h changes every 15 us") {
  Timer t;
  unsigned changes = 0;
  unsigned before = 0;
  for (std::uint64_t now = 0; now < 1'508'500; now += 1'000) {
    const unsigned bit = t.timer.read({.port = 0x61, .bytes = 1, .now = GuestTime{now}}) & 0x10;
    if (bit != before) ++changes;
    before = bit;
  }
  CHECK(changes == 99);
}

TEST_CASE("a control word that raises the output is an edge") {
  Timer t;
  t.program(0, 0, 100);
  CHECK_FALSE(t.rose());
  t.program(0, 2, 100);
  CHECK(t.rose());
}
