// The terminal driver's logic: the UART sends the log's text, and typed characters are kept for the
// programs that ask for them. The server never waits. It takes notes and requests, does what can be
// done at once, and says what to answer. terminal.cpp has the loop around it.
//
// Output: the driver takes text from the log only when the FIFO has sent all earlier text. So its
// request for more tells the kernel that no text is under way. While it awaits an interrupt it
// looks at the line every few milliseconds, because an interrupt may be lost. If the line does not
// move for seconds, text is lost and the machine goes on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/abi/reprise.h"
#include "user/drivers/input_ring.hpp"
#include "user/drivers/services.hpp"
#include "user/drivers/uart.hpp"

namespace drivers {

// Kernel: read_log(span<char>) -> characters, 0: none; alarm(nanoseconds from now);
// say_lost(count).
template <class Ports, class Kernel>
class TerminalServer {
public:
  enum class Input : bool { Closed, Open };

  struct Answer {
    std::uint64_t to = 0;  // process; 0: nobody
    std::uint64_t status = 0;
    std::span<char> bytes;
  };

  explicit constexpr TerminalServer(Input input) : input_{input} {}

  // False: there is no UART. The server then reads the log and drops its text.
  bool start() {
    present_ = uart_.start();
    if (!present_) input_ = Input::Closed;
    end_ = Kernel::read_log(text_);  // from now on the kernel keeps off the line
    idle_ = present_ && uart_.can_send();
    serve_line();
    return present_;
  }

  void notified(std::uint64_t notes) {
    unread_ |= (notes & REPRISE_NOTE_LOG) != 0;
    if ((notes & REPRISE_NOTE_ALARM) != 0) alarm_ = Alarm::None;
    if (present_ && (notes & REPRISE_NOTE_ALARM) != 0) look_at_line();
    serve_line();
  }

  void requested(std::uint64_t process, std::uint64_t operation, std::uint64_t bytes,
                 std::uint64_t flags) {
    if (const std::uint64_t lost = ring_.take_lost(); lost != 0) Kernel::say_lost(lost);
    if (operation != service::terminal_read) {
      at_once_ = {process, service::Unknown, {}};
    } else if (input_ == Input::Closed || bytes == 0) {
      at_once_ = {process, service::Ok, {}};
    } else if ((flags & service::terminal_read_now) != 0 && (ring_.empty() || readers_ != 0)) {
      at_once_ = {process, service::WouldBlock, {}};
    } else if (readers_ == waiting_.size()) {
      at_once_ = {process, service::Unknown, {}};
    } else {
      waiting_[readers_] = {process, bytes};
      ++readers_;
    }
  }

  // The process that the next RECEIVE answers, if any. answered() follows each.
  [[nodiscard]] Answer answer() {
    Answer result = at_once_;
    if (result.to == 0 && readers_ != 0 && !ring_.empty()) {
      const Reader& reader = waiting_[0];
      const std::span room{answer_};
      const std::size_t most = reader.bytes < room.size() ? reader.bytes : room.size();
      result = {reader.process, service::Ok, room.first(ring_.copy(room.first(most)))};
    }
    under_way_ = result;
    set_alarm();
    return result;
  }
  enum class Given : bool { No, Yes };
  void answered(Given given) {
    if (under_way_.to == 0) return;
    const std::size_t bytes = under_way_.bytes.size();
    if (at_once_.to != 0) {
      at_once_ = {};
    } else {
      for (std::size_t i = 1; i < readers_; ++i) waiting_[i - 1] = waiting_[i];
      --readers_;
    }
    // Not delivered: the reader has ended, or its buffer is smaller than its request.
    if (given == Given::Yes)
      ring_.drop(bytes);
    else if (bytes != 0)
      at_once_ = {under_way_.to, service::Unknown, {}};
    under_way_ = {};
  }

private:
  using Cause = typename Uart<Ports>::Cause;
  struct Reader {
    std::uint64_t process, bytes;
  };
  enum class Alarm : std::uint8_t { None, Reading, Sending, Now };  // the soonest is the greatest

  static constexpr unsigned most_rounds = 128;   // of work on the line before others have a turn
  static constexpr unsigned most_looks = 2'000;  // at a line that does not move
  static constexpr std::uint64_t millisecond = 1'000'000;

  // Handles all that the UART reports, and sends as much text as it takes.
  void serve_line() {
    busy_ = false;
    if (!present_) {
      while (Kernel::read_log(text_) != 0) {
      }
      return;
    }
    send();
    for (unsigned round = 0; round < most_rounds; ++round) {
      const Cause cause = uart_.cause();
      if (cause == Cause::None) return;
      if (cause == Cause::TransmitterEmpty) idle_ = true;
      if (cause == Cause::Received || cause == Cause::ReceiveTimeout) keep(uart_.take());
      if (cause == Cause::LineStatus) note_errors();
      send();
    }
    busy_ = true;
  }

  // Checks for events whose interrupt may have been lost.
  void look_at_line() {
    if (uart_.has_received()) keep(uart_.take());
    if (idle_) return;
    idle_ = uart_.can_send();
    looks_ = idle_ ? 0 : looks_ + 1;
  }

  // Sends the next chunk. The FIFO must be empty.
  void send() {
    if (stuck()) return drop_text();
    if (idle_ && unread_ && next_ == end_) {
      next_ = 0;
      end_ = Kernel::read_log(text_);
      unread_ = end_ != 0;
    }
    if (!idle_ || next_ == end_) return;
    std::array<char, 16> chunk;
    std::size_t used = 0;
    while (next_ < end_ && used < uart_.chunk_bytes()) {
      const char c = text_[next_];
      const bool needs_return = c == '\n' && !returned_;  // \n becomes \r\n
      returned_ = needs_return;
      chunk[used] = needs_return ? '\r' : c;
      ++used;
      next_ += needs_return ? 0 : 1;
    }
    idle_ = false;
    looks_ = 0;
    uart_.send(std::span{chunk}.first(used));
  }

  [[nodiscard]] bool stuck() const { return !idle_ && looks_ >= most_looks; }
  void drop_text() {
    next_ = end_ = 0;
    while (Kernel::read_log(text_) != 0) {
    }
    if (uart_.can_send()) {
      idle_ = true;
      looks_ = 0;
    }
  }

  void keep(char c) {
    if (input_ == Input::Open) ring_.put(c);
  }
  void note_errors() {
    const auto errors = uart_.line_errors();
    if (errors.garbled) static_cast<void>(uart_.take());
    if (errors.overrun || errors.garbled) ring_.lose();
  }

  // Sets the alarm for work that no interrupt announces.
  void set_alarm() {
    const std::size_t answered = at_once_.to == 0 && under_way_.to != 0 ? 1 : 0;
    const bool more = readers_ > answered && ring_.size() > under_way_.bytes.size();
    const Alarm wanted = busy_ || more                    ? Alarm::Now
                         : !idle_ && present_ && !stuck() ? Alarm::Sending
                         : readers_ != 0                  ? Alarm::Reading
                                                          : Alarm::None;
    if (wanted <= alarm_) return;
    alarm_ = wanted;
    Kernel::alarm(wanted == Alarm::Now ? 0 : (wanted == Alarm::Sending ? 5 : 100) * millisecond);
  }

  Uart<Ports> uart_{0x3f8};
  Input input_;
  bool present_ = false;
  bool unread_ = true;     // the log may have text
  bool idle_ = false;      // the transmit FIFO is empty
  bool returned_ = false;  // the carriage return before this line feed is out
  bool busy_ = false;      // there is more to do at once
  unsigned looks_ = 0;     // at a line that has not moved
  Alarm alarm_ = Alarm::None;
  std::array<char, 1024> text_{};  // from the log; what of it is to be sent: [next_, end_)
  std::size_t next_ = 0, end_ = 0;
  InputRing ring_;
  std::array<Reader, 64> waiting_{};  // oldest first; a process waits once at most
  std::size_t readers_ = 0;
  Answer at_once_, under_way_;
  std::array<char, 1024> answer_{};
};

}  // namespace drivers
