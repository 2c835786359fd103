// A 16550 serial port (NS16550 data sheet; the register names are its own), 115200 baud, 8N1.
// Nothing here waits without bound: a port that is not there answers FFh to everything, and one
// whose other end holds the line never becomes ready. Ports come as a type, so that host tests can
// be the device. Next: console.cpp, which owns the machine's one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace arch {

template <class Ports>
class Uart {
public:
  explicit constexpr Uart(std::uint16_t base) : base_{base} {}

  // Sets the line up when a loop-back test finds a UART; all else does nothing before that.
  bool start();
  [[nodiscard]] bool present() const { return present_; }
  void write(std::string_view text);  // \n becomes \r\n
  [[nodiscard]] bool has_input() const { return present_ && (read(LineStatus) & data_ready) != 0; }
  [[nodiscard]] std::optional<char> take();
  // An interrupt for each arrival; only to end an idle wait, input is always polled.
  void enable_receive_interrupt() { if (present_) write_register(InterruptEnable, 1); }

private:
  enum Register : std::uint16_t {
    Data = 0, InterruptEnable = 1, FifoControl = 2, InterruptIdentification = 2,
    LineControl = 3, ModemControl = 4, LineStatus = 5, DivisorLow = 0, DivisorHigh = 1,
  };
  static constexpr std::uint8_t data_ready = 1;        // line status
  static constexpr std::uint8_t transmit_ready = 0x20;
  static constexpr std::uint8_t divisor_access = 0x80;  // line control
  static constexpr std::uint8_t eight_bits = 3;
  static constexpr std::uint8_t fifo_on_and_clear = 0xc7;
  static constexpr std::uint8_t loop_back = 0x10;      // modem control
  static constexpr std::uint8_t interrupts_to_bus = 8;
  static constexpr std::uint8_t ready_request = 3;     // DTR and RTS
  static constexpr std::uint8_t fifo_works = 0xc0;     // interrupt identification
  static constexpr unsigned patience = 50'000;  // reads of about a microsecond: many byte times

  [[nodiscard]] std::uint8_t read(Register r) const { return Ports::read8(base_ + r); }
  void write_register(Register r, std::uint8_t value) { Ports::write8(base_ + r, value); }
  bool wait_for(std::uint8_t bit) const;
  void put(char c);

  std::uint16_t base_;
  bool present_ = false;
  bool stuck_ = false;  // the last wait ran out: do not wait again until the line moves
  unsigned fifo_bytes_ = 1;  // an 8250 or 16450 has no FIFO
  unsigned room_ = 0;   // bytes that the transmit FIFO is known to take
};

template <class Ports>
bool Uart<Ports>::wait_for(std::uint8_t bit) const {
  for (unsigned i = 0; i < patience; ++i) {
    if ((read(LineStatus) & bit) != 0) return true;
  }
  return false;
}

template <class Ports>
bool Uart<Ports>::start() {
  wait_for(transmit_ready);  // lets out what the firmware has written
  write_register(InterruptEnable, 0);
  write_register(LineControl, divisor_access | eight_bits);
  write_register(DivisorLow, 1);
  write_register(DivisorHigh, 0);
  write_register(LineControl, eight_bits);
  write_register(FifoControl, fifo_on_and_clear);
  fifo_bytes_ = (read(InterruptIdentification) & fifo_works) == fifo_works ? 16 : 1;
  write_register(ModemControl, loop_back | ready_request);
  constexpr std::uint8_t probe = 0xa5;
  write_register(Data, probe);
  present_ = wait_for(data_ready) && read(Data) == probe;
  write_register(ModemControl, interrupts_to_bus | ready_request);
  return present_;
}

template <class Ports>
void Uart<Ports>::put(char c) {
  if (room_ == 0) {
    const bool ready = stuck_ ? (read(LineStatus) & transmit_ready) != 0 : wait_for(transmit_ready);
    stuck_ = !ready;
    if (!ready) return;  // lost; better than a kernel that hangs on its console
    room_ = fifo_bytes_;  // the bit means that the whole FIFO is empty
  }
  --room_;
  write_register(Data, static_cast<std::uint8_t>(c));
}

template <class Ports>
void Uart<Ports>::write(std::string_view text) {
  if (!present_) return;
  for (const char c : text) {
    if (c == '\n') put('\r');
    put(c);
  }
}

template <class Ports>
std::optional<char> Uart<Ports>::take() {
  if (!has_input()) return std::nullopt;
  return static_cast<char>(read(Data));
}

}  // namespace arch
