#include "user/monitor/devices/interrupt_controller.hpp"

#include "tests/catch.hpp"

namespace {

using monitor::InterruptController;
using Port = InterruptController::Port;

// The pair as Linux sets it up: vectors 30h and 38h, all lines open.
struct Pair {
  InterruptController chips;

  Pair() { initialize(0x11, 0x01, 0x01); }

  void write(std::uint16_t port, unsigned value) { chips.write({.port = port}, value); }
  unsigned read(std::uint16_t port) { return chips.read({.port = port}); }
  void initialize(unsigned icw1, unsigned first_icw4, unsigned second_icw4) {
    write(Port::FirstCommand, icw1);
    write(Port::FirstData, 0x30);
    write(Port::FirstData, 4);
    write(Port::FirstData, first_icw4);
    write(Port::SecondCommand, icw1);
    write(Port::SecondData, 0x38);
    write(Port::SecondData, 2);
    write(Port::SecondData, second_icw4);
  }
  void pulse(unsigned line) {
    chips.set_line(line, false);
    chips.set_line(line, true);
  }
  unsigned in_service(std::uint16_t command) {
    write(command, 0x0b);
    const unsigned value = read(command);
    write(command, 0x0a);
    return value;
  }
};

}  // namespace

TEST_CASE("a pair that was not set up makes no interrupts") {
  InterruptController chips;
  chips.set_line(0, true);
  CHECK_FALSE(chips.interrupts());
}

TEST_CASE("a rising line becomes one interrupt with its vector, and a high line no second one") {
  Pair pair;
  pair.pulse(4);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.read(Port::FirstCommand) == 0x10);
  CHECK(pair.chips.acknowledge() == 0x34);
  CHECK(pair.in_service(Port::FirstCommand) == 0x10);
  CHECK(pair.read(Port::FirstCommand) == 0);
  pair.write(Port::FirstCommand, 0x20);
  CHECK(pair.in_service(Port::FirstCommand) == 0);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("an edge-triggered request ends when its line falls") {
  Pair pair;
  pair.pulse(3);
  pair.chips.set_line(3, false);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("an acknowledge without a request gives the vector of line 7, and no service") {
  Pair pair;
  CHECK(pair.chips.acknowledge() == 0x37);
  CHECK(pair.in_service(Port::FirstCommand) == 0);
}

TEST_CASE("a request that the second chip loses is lost for the first one, too") {
  for (const unsigned icw1 : {0x11u, 0x19u}) {  // edge and level triggered
    Pair pair;
    pair.initialize(icw1, 0x01, 0x01);
    pair.pulse(10);
    REQUIRE(pair.chips.interrupts());
    pair.write(Port::SecondData, 0xff);
    CHECK_FALSE(pair.chips.interrupts());
    pair.write(Port::SecondData, 0);
    REQUIRE(pair.chips.interrupts());
    pair.chips.set_line(10, false);
    CHECK_FALSE(pair.chips.interrupts());
    CHECK(pair.chips.acknowledge() == 0x37);
  }
}

TEST_CASE("a lower line waits for the end of a higher one, a higher one interrupts a lower one") {
  Pair pair;
  pair.pulse(3);
  CHECK(pair.chips.acknowledge() == 0x33);
  pair.pulse(5);
  CHECK_FALSE(pair.chips.interrupts());
  pair.pulse(1);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.chips.acknowledge() == 0x31);
  pair.write(Port::FirstCommand, 0x20);  // of line 1, the highest
  CHECK(pair.in_service(Port::FirstCommand) == 0x08);
  CHECK_FALSE(pair.chips.interrupts());
  pair.write(Port::FirstCommand, 0x63);  // of line 3, by name
  CHECK(pair.chips.acknowledge() == 0x35);
}

TEST_CASE("a masked line keeps its request until it is open") {
  Pair pair;
  pair.write(Port::FirstData, 0x10);
  CHECK(pair.read(Port::FirstData) == 0x10);
  pair.pulse(4);
  CHECK_FALSE(pair.chips.interrupts());
  CHECK(pair.read(Port::FirstCommand) == 0x10);
  pair.write(Port::FirstData, 0);
  CHECK(pair.chips.interrupts());
}

TEST_CASE("the second chip's lines come through line 2, and both want their end") {
  Pair pair;
  pair.pulse(8);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.chips.acknowledge() == 0x38);
  CHECK(pair.in_service(Port::FirstCommand) == 0x04);
  CHECK(pair.in_service(Port::SecondCommand) == 0x01);
  pair.pulse(12);
  CHECK_FALSE(pair.chips.interrupts());
  pair.write(Port::SecondCommand, 0x20);
  CHECK_FALSE(pair.chips.interrupts());  // line 2 is still in service
  pair.write(Port::FirstCommand, 0x20);
  CHECK(pair.chips.acknowledge() == 0x3c);
  // Line 2 itself belongs to the cascade.
  pair.write(Port::SecondCommand, 0x20);
  pair.write(Port::FirstCommand, 0x20);
  pair.pulse(2);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("in special fully nested mode a higher line of the second chip interrupts a lower one") {
  Pair pair;
  pair.pulse(12);
  CHECK(pair.chips.acknowledge() == 0x3c);
  pair.pulse(8);
  CHECK_FALSE(pair.chips.interrupts());
  pair.initialize(0x11, 0x11, 0x01);
  pair.pulse(12);
  CHECK(pair.chips.acknowledge() == 0x3c);
  pair.pulse(8);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.chips.acknowledge() == 0x38);
}

TEST_CASE("with automatic end nothing stays in service, and the second chip's next line follows") {
  Pair pair;
  pair.initialize(0x11, 0x03, 0x03);
  pair.pulse(9);
  pair.pulse(11);
  CHECK(pair.chips.acknowledge() == 0x39);
  CHECK(pair.in_service(Port::FirstCommand) == 0);
  CHECK(pair.in_service(Port::SecondCommand) == 0);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.chips.acknowledge() == 0x3b);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("a level-triggered line asks again while it is high") {
  Pair pair;
  pair.write(Port::FirstLevels, 0xff);
  CHECK(pair.read(Port::FirstLevels) == 0xf8);  // 0, 1 and 2 cannot be
  pair.write(Port::SecondLevels, 0xff);
  CHECK(pair.read(Port::SecondLevels) == 0xde);
  pair.chips.set_line(5, true);
  CHECK(pair.chips.acknowledge() == 0x35);
  pair.write(Port::FirstCommand, 0x20);
  CHECK(pair.chips.acknowledge() == 0x35);
  pair.chips.set_line(5, false);
  pair.write(Port::FirstCommand, 0x20);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("ICW1 makes all lines level triggered, forgets edges, and clears mask and service") {
  Pair pair;
  pair.write(Port::FirstData, 0xff);
  pair.pulse(6);
  pair.initialize(0x11, 0x01, 0x01);
  CHECK(pair.read(Port::FirstData) == 0);
  CHECK_FALSE(pair.chips.interrupts());  // the line has to rise again
  pair.initialize(0x19, 0x01, 0x01);
  CHECK(pair.chips.interrupts());
}

TEST_CASE("rotation gives the line that was served the lowest priority") {
  Pair pair;
  pair.pulse(2 + 1);
  CHECK(pair.chips.acknowledge() == 0x33);
  pair.write(Port::FirstCommand, 0xa0);  // rotate on non-specific EOI: line 3 is the lowest now
  pair.pulse(3);
  pair.pulse(7);
  CHECK(pair.chips.acknowledge() == 0x37);
  pair.write(Port::FirstCommand, 0xe7);  // rotate on specific EOI of line 7
  pair.pulse(0);
  CHECK(pair.chips.acknowledge() == 0x30);
  pair.write(Port::FirstCommand, 0x60);
  pair.write(Port::FirstCommand, 0xc4);  // line 4 is the lowest: 5 is the highest
  pair.pulse(5);
  CHECK(pair.chips.acknowledge() == 0x35);
}

TEST_CASE("with rotation at the automatic end the served line becomes the lowest") {
  Pair pair;
  pair.initialize(0x11, 0x03, 0x03);
  pair.write(Port::FirstCommand, 0x80);
  pair.pulse(1);
  CHECK(pair.chips.acknowledge() == 0x31);
  pair.pulse(1);
  pair.pulse(4);
  CHECK(pair.chips.acknowledge() == 0x34);
  pair.write(Port::FirstCommand, 0x00);
  CHECK(pair.chips.acknowledge() == 0x31);
}

TEST_CASE("special mask mode lets lower lines through while a masked one is in service") {
  Pair pair;
  pair.pulse(3);
  CHECK(pair.chips.acknowledge() == 0x33);
  pair.write(Port::FirstData, 0x08);
  pair.pulse(6);
  CHECK_FALSE(pair.chips.interrupts());
  pair.write(Port::FirstCommand, 0x68);
  REQUIRE(pair.chips.interrupts());
  CHECK(pair.chips.acknowledge() == 0x36);
  pair.write(Port::FirstCommand, 0x20);  // ends 6, not the masked 3
  CHECK(pair.in_service(Port::FirstCommand) == 0x08);
  pair.write(Port::FirstCommand, 0x48);
  pair.pulse(6);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("a poll names the line and acknowledges it") {
  Pair pair;
  pair.write(Port::FirstCommand, 0x0c);
  CHECK(pair.read(Port::FirstCommand) == 0);
  pair.pulse(5);
  pair.write(Port::FirstCommand, 0x0c);
  CHECK(pair.read(Port::FirstCommand) == 0x85);
  CHECK(pair.in_service(Port::FirstCommand) == 0x20);
  CHECK_FALSE(pair.chips.interrupts());
}

TEST_CASE("a poll of the second chip takes the request from the first one") {
  Pair pair;
  pair.pulse(9);
  REQUIRE(pair.chips.interrupts());
  pair.write(Port::SecondCommand, 0x0c);
  CHECK(pair.read(Port::SecondCommand) == 0x81);
  CHECK_FALSE(pair.chips.interrupts());
}
