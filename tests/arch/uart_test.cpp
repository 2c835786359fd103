#include "arch/x86_64/uart.hpp"

#include <string>

#include "tests/catch.hpp"

namespace {

// A 16550 with its transmit FIFO of 16 bytes, or an empty bus that answers FFh.
struct Device {
  static inline bool there = true;
  static inline bool line_moves = true;  // the other end takes bytes
  static inline bool has_fifo = true;
  static inline std::string sent;
  static inline unsigned in_fifo = 0;
  static inline unsigned lost = 0;
  static inline unsigned long accesses = 0;

  static void reset() {
    there = line_moves = has_fifo = true;
    sent.clear();
    in_fifo = lost = 0;
    accesses = 0;
  }
  static void write8(unsigned port, std::uint8_t value) {
    ++accesses;
    static bool divisor = false;
    if (port == 0x3fb) divisor = (value & 0x80) != 0;
    if (!there || port != 0x3f8 || divisor) return;
    if (in_fifo == (has_fifo ? 16 : 1)) {
      ++lost;
      return;
    }
    ++in_fifo;
    sent.push_back(static_cast<char>(value));
  }
  static std::uint8_t read8(unsigned port) {
    ++accesses;
    if (!there) return 0xff;
    if (port == 0x3fa) return has_fifo ? 0xc1 : 0x01;
    if (port == 0x3fd) {
      if (line_moves && accesses % 3 == 0) in_fifo = 0;
      return in_fifo == 0 ? 0x20 : 0;
    }
    return 0;
  }
};

}  // namespace

TEST_CASE("text arrives whole, with a carriage return before each line feed") {
  for (const bool fifo : {true, false}) {
    Device::reset();
    Device::has_fifo = fifo;
    arch::Uart<Device> uart{0x3f8};
    uart.start();
    std::string text, expected;
    for (int i = 0; i < 100; ++i) {
      text += "line " + std::to_string(i) + "\n";
      expected += "line " + std::to_string(i) + "\r\n";
    }
    uart.write(text);
    CHECK(Device::lost == 0);
    CHECK(Device::sent == expected);
  }
}

TEST_CASE("where no UART answers, nothing waits") {
  Device::reset();
  Device::there = false;
  arch::Uart<Device> uart{0x3f8};
  uart.start();
  const unsigned long after_start = Device::accesses;
  uart.write(std::string(10'000, 'x'));
  CHECK(Device::accesses == after_start + 2 * 10'000);  // a look and a write that goes nowhere
}

TEST_CASE("a line that never becomes ready costs one bounded wait, not one for each byte") {
  Device::reset();
  arch::Uart<Device> uart{0x3f8};
  uart.start();
  Device::line_moves = false;
  uart.write(std::string(10'000, 'x'));
  CHECK(Device::accesses < 100'000);
  Device::line_moves = true;
  uart.write("again");
  CHECK(Device::sent.ends_with("in"));  // the first looks come too early
}

TEST_CASE("a FIFO that a driver has filled is waited for") {
  Device::reset();
  arch::Uart<Device> uart{0x3f8};
  uart.start();
  uart.write("x");
  Device::in_fifo = 16;
  uart.write("y");
  CHECK(Device::lost == 0);
  CHECK(Device::sent.ends_with("y"));
}
