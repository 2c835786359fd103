// A 16550 serial port (National Semiconductor PC16550D data sheet) with eight ports. Two things are
// quicker than a real line: a byte that the guest writes is out at once, and the time-out that
// announces few bytes in the receiver's FIFO comes at once. As in a PC, modem control's OUT2 lets
// the interrupt through.
#pragma once

#include <array>
#include <cstdint>

#include "user/monitor/devices/byte_sink.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class SerialPort final : public PortDevice {
public:
  static constexpr std::uint16_t ports = 8;

  SerialPort(std::uint16_t base, ByteSink& output) : base_{base}, output_{output} {}

  [[nodiscard]] bool interrupts() const;
  // How many bytes the receiver takes now. More would be lost, as on a real line.
  [[nodiscard]] unsigned room() const;
  void receive(char byte);
  // The guest listens: it has asked for an interrupt at each byte, or looks at the line status
  // again and again. Bytes that come sooner would be thrown away when it sets up the port.
  [[nodiscard]] bool listens() const;

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  enum class Cause : std::uint8_t {  // as interrupt identification has it
    Modem = 0x0,
    None = 0x1,
    TransmitterEmpty = 0x2,
    Received = 0x4,
    LineStatus = 0x6,
    ReceiveTimeout = 0xc,
  };
  static constexpr unsigned fifo_bytes = 16;

  [[nodiscard]] bool has(std::uint8_t value, std::uint8_t bit) const { return (value & bit) != 0; }
  [[nodiscard]] Cause cause() const;
  [[nodiscard]] bool divisor_shown() const;
  [[nodiscard]] bool loops_back() const;
  [[nodiscard]] unsigned trigger_level() const;
  [[nodiscard]] std::uint8_t modem_lines() const;
  [[nodiscard]] std::uint8_t take_received();
  [[nodiscard]] std::uint8_t take_identification();
  [[nodiscard]] std::uint8_t take_line_status();
  [[nodiscard]] std::uint8_t take_modem_status();
  void send(std::uint8_t byte);
  void set_interrupt_enable(std::uint8_t value);
  void set_fifo(std::uint8_t value);
  void set_modem_control(std::uint8_t value);

  std::uint16_t base_;
  ByteSink& output_;
  std::array<std::uint8_t, fifo_bytes> received_{};
  unsigned first_ = 0, count_ = 0;
  bool overrun_ = false;
  bool transmitter_asks_ = false;  // its interrupt was not answered yet
  std::uint8_t interrupt_enable_ = 0, fifo_control_ = 0, line_control_ = 0, modem_control_ = 0;
  std::uint8_t modem_changes_ = 0;
  unsigned looks_ = 0;  // at the line status, since the last byte sent
  std::uint8_t scratch_ = 0;
  std::uint16_t divisor_ = 12;  // 9,600 baud
};

}  // namespace monitor
