// The emergency output: a 16550 serial port (NS16550 data sheet; the register names are its own),
// 115200 baud, 8N1, polled. Nothing here waits without bound: a port that is not there answers FFh to
// everything, and one whose other end holds the line never becomes ready. A driver in ring 3
// (user/drivers) may use the same port in between. Ports come as a type, so that host tests can be
// the device.
#pragma once

#include <cstdint>
#include <string_view>

namespace arch {

template <class Ports>
class Uart {
public:
  explicit constexpr Uart(std::uint16_t base) : base_{base} {}

  // Sets the line up when a loop-back test finds a UART; writing does nothing before that.
  void start() {
    constexpr std::uint8_t probe = 0xa5;
    static_cast<void>(wait_for(transmit_ready));  // lets out what the firmware has written
    write(InterruptEnable, 0);
    write(LineControl, divisor_access | eight_bits);
    write(DivisorLow, 1);
    write(DivisorHigh, 0);
    write(LineControl, eight_bits);
    write(FifoControl, fifo_on_and_clear);
    write(ModemControl, loop_back | ready_request);
    write(Data, probe);
    present_ = wait_for(data_ready) && read(Data) == probe;
    write(ModemControl, interrupts_to_bus | ready_request);
  }
  void write(std::string_view text) {  // \n becomes \r\n
    for (const char c : text) {
      if (c == '\n') put('\r');
      put(c);
    }
  }

private:
  enum Register : std::uint16_t {
    Data = 0, InterruptEnable = 1, FifoControl = 2,
    LineControl = 3, ModemControl = 4, LineStatus = 5, DivisorLow = 0, DivisorHigh = 1,
  };
  static constexpr std::uint8_t data_ready = 1, transmit_ready = 0x20;      // line status
  static constexpr std::uint8_t divisor_access = 0x80, eight_bits = 3;      // line control
  static constexpr std::uint8_t fifo_on_and_clear = 7;                      // FIFO control
  static constexpr std::uint8_t loop_back = 0x10, interrupts_to_bus = 8,    // modem control
                                ready_request = 3;                          // DTR and RTS
  static constexpr unsigned patience = 50'000;  // reads of about a microsecond: many byte times

  [[nodiscard]] std::uint8_t read(Register r) const { return Ports::read8(base_ + r); }
  void write(Register r, std::uint8_t value) { Ports::write8(base_ + r, value); }
  [[nodiscard]] bool status(std::uint8_t bit) const { return (read(LineStatus) & bit) != 0; }
  [[nodiscard]] bool wait_for(std::uint8_t bit) const {
    unsigned looks = 0;
    while (!status(bit)) {
      if (++looks == patience) return false;
    }
    return true;
  }
  void put(char c) {
    if (!present_) return;
    stuck_ = stuck_ ? !status(transmit_ready) : !wait_for(transmit_ready);
    // Else lost; better than a kernel that hangs on its console.
    if (!stuck_) write(Data, static_cast<std::uint8_t>(c));
  }

  std::uint16_t base_;
  bool present_ = false;
  bool stuck_ = false;  // the last wait ran out: do not wait again until the line moves
};

}  // namespace arch
