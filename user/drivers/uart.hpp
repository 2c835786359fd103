// A 16550 serial port, driven by its interrupts. The register names are those of the NS16550 data
// sheet. The kernel has set the port up for its emergency output, and may write to it until the
// driver reads the log. So the driver leaves line control alone: its highest bit turns the data
// register into another one. Each access to a port ends a processing element, so accesses are few:
// one for a chunk of text as long as the transmit FIFO, one for the reason of an interrupt. Every
// wait is bounded. The ports are a template argument, and host tests pass a fake device there.
// Next: terminal_server.hpp, which decides what is sent and when.
#pragma once

#include <cstdint>
#include <span>

namespace drivers {

template <class Ports>
class Uart {
public:
  // The reason of an interrupt, with the numbers of the identification register.
  enum class Cause : std::uint8_t {
    Modem = 0,
    TransmitterEmpty = 1,
    Received = 2,
    LineStatus = 3,
    ReceiveTimeout = 6,
    None = 0xff,
  };
  struct LineErrors {
    bool overrun;  // characters came faster than they were read, and are lost
    bool garbled;  // the next character is noise: parity, framing or break
  };

  explicit constexpr Uart(std::uint16_t base) : base_{base} {}

  // False: there is no UART, because the scratch register does not keep a written value. Characters
  // that have already arrived stay in the FIFO.
  bool start() {
    for (const std::uint8_t probe : {0xa5, 0x5a}) {
      write(Scratch, probe);
      static_cast<void>(read(LineStatus));  // else a floating bus might still hold the value
      if (read(Scratch) != probe) return false;
    }
    fifo_bytes_ = (read(InterruptIdentification) & fifo_works) == fifo_works ? 16 : 1;
    write(InterruptEnable, received | transmitter_empty | line_status);
    return true;
  }

  // The reason of the interrupt, most urgent first. Reading acknowledges TransmitterEmpty and
  // Modem.
  [[nodiscard]] Cause cause() const {
    const std::uint8_t identification = read(InterruptIdentification);
    if ((identification & nothing_pending) != 0) return Cause::None;
    const auto cause = static_cast<Cause>(identification >> 1 & 7);
    if (cause == Cause::Modem) static_cast<void>(read(ModemStatus));
    return cause;
  }
  [[nodiscard]] bool can_send() const { return status(transmit_ready); }
  // Sends at most chunk_bytes() characters. The FIFO must be empty.
  void send(std::span<const char> chunk) { Ports::write_all(base_ + Data, chunk); }
  [[nodiscard]] std::size_t chunk_bytes() const { return fifo_bytes_; }

  [[nodiscard]] bool has_received() const { return status(data_ready); }
  [[nodiscard]] char take() { return static_cast<char>(read(Data)); }
  [[nodiscard]] LineErrors line_errors() const {  // since the last call
    const std::uint8_t now = read(LineStatus);
    return {(now & overrun) != 0, (now & (parity | framing | break_seen)) != 0};
  }

private:
  enum Register : std::uint16_t {
    Data = 0,
    InterruptEnable = 1,
    InterruptIdentification = 2,
    LineStatus = 5,
    ModemStatus = 6,
    Scratch = 7,
  };
  static constexpr std::uint8_t received = 1, transmitter_empty = 2, line_status = 4;  // enable
  static constexpr std::uint8_t nothing_pending = 1, fifo_works = 0xc0;  // identification
  static constexpr std::uint8_t data_ready = 1, overrun = 2, parity = 4, framing = 8,
                                break_seen = 16, transmit_ready = 32;  // line status

  [[nodiscard]] std::uint8_t read(Register r) const { return Ports::read8(base_ + r); }
  void write(Register r, std::uint8_t value) { Ports::write8(base_ + r, value); }
  [[nodiscard]] bool status(std::uint8_t bit) const { return (read(LineStatus) & bit) != 0; }

  std::uint16_t base_;
  std::uint8_t fifo_bytes_ = 1;  // an 8250 or 16450 has no FIFO
};

}  // namespace drivers
