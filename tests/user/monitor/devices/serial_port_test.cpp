#include "user/monitor/devices/serial_port.hpp"

#include <string>

#include "tests/catch.hpp"

namespace {

enum Register : std::uint16_t {
  Data,
  Enable,
  Identification,
  Line,
  Modem,
  LineStatus,
  ModemStatus,
  Scratch
};

struct Sent final : monitor::ByteSink {
  std::string text;
  void put(char byte) override { text += byte; }
};

struct Port {
  Sent sent;
  monitor::SerialPort uart{0x3f8, sent};

  unsigned read(Register r) { return uart.read({.port = static_cast<std::uint16_t>(0x3f8 + r)}); }
  void write(Register r, unsigned value) {
    uart.write({.port = static_cast<std::uint16_t>(0x3f8 + r)}, value);
  }
  // As a driver leaves it: OUT2 lets interrupts through.
  Port() { write(Modem, 0x0b); }
};

}  // namespace

TEST_CASE("bytes that are written are sent, and the transmitter is always empty") {
  Port port;
  for (const char c : std::string{"hello\n"}) {
    CHECK(port.read(LineStatus) == 0x60);
    port.write(Data, static_cast<unsigned char>(c));
  }
  CHECK(port.sent.text == "hello\n");
}

TEST_CASE("the divisor hides data and interrupt enable, and is kept") {
  Port port;
  port.write(Enable, 0x01);
  port.write(Line, 0x83);
  port.write(Data, 0x34);
  port.write(Enable, 0x12);
  CHECK(port.read(Data) == 0x34);
  CHECK(port.read(Enable) == 0x12);
  port.write(Line, 0x03);
  CHECK(port.read(Line) == 0x03);
  CHECK(port.read(Enable) == 0x01);
  CHECK(port.sent.text.empty());
}

TEST_CASE("scratch keeps its byte; registers keep only the bits that exist") {
  Port port;
  port.write(Scratch, 0xa5);
  CHECK(port.read(Scratch) == 0xa5);
  port.write(Enable, 0xff);
  CHECK(port.read(Enable) == 0x0f);
  port.write(Modem, 0xff);
  CHECK(port.read(Modem) == 0x1f);
}

TEST_CASE("enabling the transmitter's interrupt makes one, and reading its cause ends it") {
  Port port;
  CHECK(port.read(Identification) == 0x01);
  port.write(Enable, 0x02);
  CHECK(port.uart.interrupts());
  CHECK(port.read(Identification) == 0x02);
  CHECK_FALSE(port.uart.interrupts());
  CHECK(port.read(Identification) == 0x01);
  port.write(Data, 'x');  // empty again: one more
  CHECK(port.read(Identification) == 0x02);
  // Linux's test for a lost interrupt: off and on makes one more.
  port.write(Enable, 0);
  port.write(Enable, 2);
  CHECK(port.read(Identification) == 0x02);
  port.write(Enable, 2);  // it was on: none
  CHECK(port.read(Identification) == 0x01);
}

TEST_CASE("a received byte makes an interrupt until it is read") {
  Port port;
  port.write(Enable, 0x01);
  CHECK(port.uart.room() == 1);
  port.uart.receive('a');
  CHECK(port.uart.room() == 0);
  CHECK(port.uart.interrupts());
  CHECK(port.read(Identification) == 0x04);
  CHECK(port.read(LineStatus) == 0x61);
  CHECK(port.read(Data) == 'a');
  CHECK_FALSE(port.uart.interrupts());
  CHECK(port.read(LineStatus) == 0x60);
}

TEST_CASE(
    "the FIFO keeps 16 bytes in their order; below its trigger level the cause is a time-out") {
  Port port;
  port.write(Identification, 0xc7);  // level 14
  CHECK(port.read(Identification) == 0xc1);
  port.write(Enable, 0x01);
  CHECK(port.uart.room() == 16);
  for (char c = 'a'; c < 'a' + 13; ++c) port.uart.receive(c);
  CHECK(port.read(Identification) == 0xcc);
  port.uart.receive('n');
  CHECK(port.read(Identification) == 0xc4);
  port.uart.receive('o');
  port.uart.receive('p');
  CHECK(port.uart.room() == 0);
  for (char c = 'a'; c <= 'p'; ++c) CHECK(port.read(Data) == static_cast<unsigned char>(c));
  CHECK(port.read(LineStatus) == 0x60);
}

TEST_CASE("a byte too many is lost, and line status says so once, with the highest priority") {
  Port port;
  port.write(Identification, 0x01);
  port.write(Enable, 0x07);
  for (unsigned i = 0; i < 17; ++i) port.uart.receive(static_cast<char>(i));
  CHECK(port.read(Identification) == 0xc6);
  CHECK(port.read(LineStatus) == 0x63);
  CHECK(port.read(LineStatus) == 0x61);
  CHECK(port.read(Identification) == 0xc4);
  for (unsigned i = 0; i < 16; ++i) CHECK(port.read(Data) == i);
  CHECK(port.read(Identification) == 0xc2);  // last the transmitter
  // Without FIFOs the new byte replaces the old one.
  port.write(Identification, 0x00);
  port.uart.receive('x');
  port.uart.receive('y');
  CHECK(port.read(LineStatus) == 0x63);
  CHECK(port.read(Data) == 'y');
}

TEST_CASE("FIFO control empties the receiver") {
  Port port;
  port.write(Identification, 0x01);
  port.uart.receive('a');
  port.write(Identification, 0x03);
  CHECK(port.read(LineStatus) == 0x60);
  port.uart.receive('b');
  port.write(Identification, 0x00);  // switching does so, too
  CHECK(port.read(LineStatus) == 0x60);
  CHECK(port.read(Identification) == 0x01);
}

TEST_CASE("in loop-back what is sent is received, and modem control is seen in modem status") {
  Port port;
  port.write(Modem, 0x10);
  CHECK((port.read(ModemStatus) & 0xf0) == 0x00);
  port.write(Modem, 0x1a);  // RTS and OUT2: CTS and DCD. Linux's probe.
  CHECK(port.read(ModemStatus) == 0x99);
  CHECK(port.read(ModemStatus) == 0x90);
  port.write(Modem, 0x15);  // DTR and OUT1: DSR and ring
  CHECK((port.read(ModemStatus) & 0xf0) == 0x60);
  port.write(Modem, 0x11);  // the ring ends
  CHECK(port.read(ModemStatus) == 0x24);
  port.write(Data, 'z');
  CHECK(port.sent.text.empty());
  CHECK(port.uart.room() == 0);  // nothing comes in from outside
  CHECK(port.read(LineStatus) == 0x61);
  CHECK(port.read(Data) == 'z');
}

TEST_CASE("without OUT2, and in loop-back, no interrupt gets out") {
  Port port;
  port.write(Enable, 0x02);
  port.write(Modem, 0x03);
  CHECK_FALSE(port.uart.interrupts());
  port.write(Modem, 0x1b);
  CHECK_FALSE(port.uart.interrupts());
  port.write(Modem, 0x0b);
  CHECK(port.uart.interrupts());
}

TEST_CASE("outside of loop-back somebody is at the other end") {
  Port port;
  CHECK((port.read(ModemStatus) & 0xf0) == 0xb0);
  CHECK(port.read(ModemStatus) == 0xb0);
  port.write(Enable, 0x08);
  CHECK_FALSE(port.uart.interrupts());
  port.write(Modem, 0x10);
  port.write(Modem, 0x0b);
  CHECK(port.read(Identification) == 0x00);  // DCD and others have changed
  CHECK((port.read(ModemStatus) & 0x0f) != 0);
  CHECK(port.read(Identification) == 0x01);
}

TEST_CASE("a guest listens when it has asked for interrupts, or looks again and again") {
  Port port;
  CHECK_FALSE(port.uart.listens());
  port.write(Enable, 0x01);
  CHECK(port.uart.listens());
  port.write(Enable, 0x00);
  for (unsigned i = 0; i < 100; ++i) {  // a sender that looks before each byte
    static_cast<void>(port.read(LineStatus));
    static_cast<void>(port.read(LineStatus));
    port.write(Data, 'x');
  }
  CHECK_FALSE(port.uart.listens());
  for (unsigned i = 0; i < 16; ++i) static_cast<void>(port.read(LineStatus));
  CHECK(port.uart.listens());
}
