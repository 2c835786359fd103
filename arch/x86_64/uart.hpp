// The emergency output: a 16550 serial port (NS16550 data sheet; the register names are its own),
// 115200 baud, 8N1, polled. Nothing here waits without bound: where no port is, the bus answers
// FFh, which is ready for all and goes nowhere, and one whose other end holds the line costs one
// wait. A driver in ring 3 (user/drivers) may use the same port in between. Ports come as a type,
// so that host tests can be the device.
#pragma once

#include <cstdint>
#include <string_view>

#include "arch/x86_64/instructions.hpp"

namespace arch {

template <class Ports>
class Uart {
public:
  explicit constexpr Uart(unsigned base) : base_{base} {}

  void start() {
    wait_until_ready();  // lets out what the firmware has written
    write(InterruptEnable, 0);
    write(LineControl, divisor_access | eight_bits);
    write(DivisorLow, 1);
    write(DivisorHigh, 0);
    write(LineControl, eight_bits);
    write(FifoControl, fifo_on_and_clear);
    write(ModemControl, interrupts_to_bus | ready_request);
  }
  void write(std::string_view text) {  // \n becomes \r\n
    for (const char c : text) {
      if (c == '\n') put('\r');
      put(c);
    }
  }

private:
  enum Register : std::uint8_t {
    Data = 0,
    InterruptEnable = 1,
    FifoControl = 2,
    LineControl = 3,
    ModemControl = 4,
    LineStatus = 5,
    DivisorLow = 0,
    DivisorHigh = 1,
  };
  static constexpr std::uint8_t transmit_ready = 0x20;                     // line status
  static constexpr std::uint8_t divisor_access = 0x80, eight_bits = 3;     // line control
  static constexpr std::uint8_t fifo_on_and_clear = 7;                     // FIFO control
  static constexpr std::uint8_t interrupts_to_bus = 8, ready_request = 3;  // modem: OUT2, DTR, RTS
  static constexpr unsigned patience = 50'000;  // reads of about a microsecond: many byte times

  void write(Register r, std::uint8_t value) { Ports::write8(base_ + r, value); }
  [[nodiscard]] bool ready() const {
    return (Ports::read8(base_ + LineStatus) & transmit_ready) != 0;
  }
  // After a wait that ran out: no more, until the line moves.
  void wait_until_ready() {
    unsigned looks_left = stuck_ ? 1 : patience;
    stuck_ = true;
    for (; stuck_ && looks_left != 0; --looks_left) stuck_ = !ready();
  }
  // Lost when the line does not move; better than a kernel that hangs on its console.
  void put(char c) {
    wait_until_ready();
    if (!stuck_) write(Data, static_cast<std::uint8_t>(c));
  }

  unsigned base_;
  bool stuck_ = false;
};

namespace x86 {

struct MachinePorts {
  static std::uint8_t read8(unsigned port) { return in8(static_cast<std::uint16_t>(port)); }
  static void write8(unsigned port, std::uint8_t value) {
    out8(static_cast<std::uint16_t>(port), value);
  }
};

}  // namespace x86

}  // namespace arch
