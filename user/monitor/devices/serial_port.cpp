// See serial_port.hpp.
#include "user/monitor/devices/serial_port.hpp"

namespace monitor {
namespace {

enum Register : std::uint16_t {
  Data = 0,             // or the divisor's low half
  InterruptEnable = 1,  // or its high half
  Identification = 2,   // written: FIFO control
  LineControl = 3,
  ModemControl = 4,
  LineStatus = 5,
  ModemStatus = 6,
  Scratch = 7,
};

constexpr std::uint8_t enable_received = 1, enable_transmitter = 2, enable_line = 4,
                       enable_modem = 8, enable_bits = 0x0f;
constexpr std::uint8_t fifo_on = 1, fifo_clears_receiver = 2, fifo_kept = 0xc9, fifos_work = 0xc0;
constexpr std::uint8_t line_shows_divisor = 0x80;
constexpr std::uint8_t control_data_ready = 1, control_request = 2, control_out1 = 4,
                       control_out2 = 8, control_loops = 0x10, control_bits = 0x1f;
constexpr std::uint8_t status_received = 1, status_overrun = 2, status_sent = 0x60;
constexpr unsigned patient_looks = 16;  // a sender looks once or twice before each byte
// Modem status: the lines, and in the lower half their changes; of the ring only its end.
constexpr std::uint8_t clear_to_send = 0x10, data_set_ready = 0x20, ring = 0x40, carrier = 0x80;

}  // namespace

bool SerialPort::divisor_shown() const { return has(line_control_, line_shows_divisor); }
bool SerialPort::loops_back() const { return has(modem_control_, control_loops); }

unsigned SerialPort::trigger_level() const {
  constexpr std::array<unsigned, 4> levels{1, 4, 8, 14};
  return has(fifo_control_, fifo_on) ? levels[fifo_control_ >> 6] : 1;
}

SerialPort::Cause SerialPort::cause() const {
  if (has(interrupt_enable_, enable_line) && overrun_) return Cause::LineStatus;
  if (has(interrupt_enable_, enable_received) && count_ != 0) {
    return count_ >= trigger_level() ? Cause::Received : Cause::ReceiveTimeout;
  }
  if (has(interrupt_enable_, enable_transmitter) && transmitter_asks_) {
    return Cause::TransmitterEmpty;
  }
  if (has(interrupt_enable_, enable_modem) && modem_changes_ != 0) return Cause::Modem;
  return Cause::None;
}

bool SerialPort::interrupts() const {
  return has(modem_control_, control_out2) && !loops_back() && cause() != Cause::None;
}

unsigned SerialPort::room() const {
  const unsigned most = has(fifo_control_, fifo_on) ? fifo_bytes : 1;
  return loops_back() || count_ >= most ? 0 : most - count_;
}

bool SerialPort::listens() const {
  return has(interrupt_enable_, enable_received) || looks_ >= patient_looks;
}

void SerialPort::receive(char byte) {
  const unsigned most = has(fifo_control_, fifo_on) ? fifo_bytes : 1;
  if (count_ == most) {
    overrun_ = true;
    // Without FIFOs the new byte replaces the old one; a full FIFO loses the new one.
    if (most == 1) received_[first_] = static_cast<std::uint8_t>(byte);
    return;
  }
  received_[(first_ + count_) % fifo_bytes] = static_cast<std::uint8_t>(byte);
  ++count_;
}

std::uint32_t SerialPort::read(const PortAccess& access) {
  switch (static_cast<Register>(access.port - base_)) {
    case Data: return divisor_shown() ? divisor_ & 0xffu : take_received();
    case InterruptEnable: return divisor_shown() ? divisor_ >> 8 : interrupt_enable_;
    case Identification: return take_identification();
    case LineControl: return line_control_;
    case ModemControl: return modem_control_;
    case LineStatus: return take_line_status();
    case ModemStatus: return take_modem_status();
    case Scratch: return scratch_;
  }
  return 0xff;
}

void SerialPort::write(const PortAccess& access, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (static_cast<Register>(access.port - base_)) {
    case Data:
      if (divisor_shown()) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff00) | byte);
      } else {
        send(byte);
      }
      return;
    case InterruptEnable:
      if (divisor_shown()) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff) | byte << 8);
      } else {
        set_interrupt_enable(byte);
      }
      return;
    case Identification: return set_fifo(byte);
    case LineControl: line_control_ = byte; return;
    case ModemControl: return set_modem_control(byte);
    case LineStatus:
    case ModemStatus: return;
    case Scratch: scratch_ = byte; return;
  }
}

std::uint8_t SerialPort::take_received() {
  const std::uint8_t byte = received_[first_];
  if (count_ == 0) return byte;
  first_ = (first_ + 1) % fifo_bytes;
  --count_;
  return byte;
}

// To read it is the answer to the transmitter's interrupt, when that is what it shows.
std::uint8_t SerialPort::take_identification() {
  const Cause now = cause();
  if (now == Cause::TransmitterEmpty) transmitter_asks_ = false;
  const std::uint8_t works = has(fifo_control_, fifo_on) ? fifos_work : 0;
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(now) | works);
}

std::uint8_t SerialPort::take_line_status() {
  const unsigned status =
      status_sent | (count_ != 0 ? status_received : 0u) | (overrun_ ? status_overrun : 0u);
  overrun_ = false;
  if (looks_ < patient_looks) ++looks_;
  return static_cast<std::uint8_t>(status);
}

std::uint8_t SerialPort::modem_lines() const {
  if (!loops_back()) return clear_to_send | data_set_ready | carrier;  // somebody is there
  const unsigned lines = (has(modem_control_, control_request) ? clear_to_send : 0u) |
                         (has(modem_control_, control_data_ready) ? data_set_ready : 0u) |
                         (has(modem_control_, control_out1) ? ring : 0u) |
                         (has(modem_control_, control_out2) ? carrier : 0u);
  return static_cast<std::uint8_t>(lines);
}

std::uint8_t SerialPort::take_modem_status() {
  const auto status = static_cast<std::uint8_t>(modem_lines() | modem_changes_);
  modem_changes_ = 0;
  return status;
}

void SerialPort::send(std::uint8_t byte) {
  looks_ = 0;
  transmitter_asks_ = true;  // the byte is out at once, and the transmitter is empty again
  if (loops_back()) {
    receive(static_cast<char>(byte));
  } else {
    output_.put(static_cast<char>(byte));
  }
}

void SerialPort::set_interrupt_enable(std::uint8_t value) {
  const bool was_on = has(interrupt_enable_, enable_transmitter);
  interrupt_enable_ = value & enable_bits;
  if (!was_on && has(interrupt_enable_, enable_transmitter)) transmitter_asks_ = true;
}

void SerialPort::set_fifo(std::uint8_t value) {
  const bool switched = has(static_cast<std::uint8_t>(value ^ fifo_control_), fifo_on);
  if (switched || has(value, fifo_clears_receiver)) first_ = count_ = 0;
  // Without its first bit the other bits are not taken.
  fifo_control_ = has(value, fifo_on) ? value & fifo_kept : 0;
}

void SerialPort::set_modem_control(std::uint8_t value) {
  const std::uint8_t before = modem_lines();
  modem_control_ = value & control_bits;
  const std::uint8_t after = modem_lines();
  const auto changed = static_cast<std::uint8_t>(before ^ after);
  const std::uint8_t ring_ended = before & ~after & ring;
  modem_changes_ |= static_cast<std::uint8_t>(
      ((changed & (clear_to_send | data_set_ready | carrier)) | ring_ended) >> 4);
}

}  // namespace monitor
