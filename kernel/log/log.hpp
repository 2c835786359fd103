// The log: all text that the kernel and the programs print, in a ring, until each output has sent
// it. An output is a driver in ring 3 that reads the log (REPRISE_LOG_READ). Its next read says
// that everything it read before is out.
//
// While nobody reads for the serial line, text goes out by the emergency serial line at once. The
// same holds from the end of the serial line's reader on: what that reader had taken but not sent
// goes out again, so nothing is lost. While the serial line is far behind (crowded()), only
// processes that send the log run, so nobody else's text can fill the ring. A screen that is too
// far behind misses text.
//
// Readers are numbers of processes. The log notifies nobody: its owner asks which readers are to be
// told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace reprise {

class Log {
public:
  static constexpr std::size_t outputs = 2;  // serial line, screen

  // Text of a program: passed through as it is.
  void write(std::string_view text);
  // A line of the kernel's. It starts at the left margin, whatever a program has printed before.
  void write_line(std::string_view prefix, std::string_view text);
  // Ends a line that is left unfinished.
  void go_to_margin();

  [[nodiscard]] bool crowded() const { return head_ - serial().sent > ring_.size() / 2; }
  // Whether the outputs that have readers have sent everything.
  [[nodiscard]] bool all_sent() const;

  // The oldest text that this output has not taken. It stays valid until it is overwritten.
  [[nodiscard]] std::span<const char> read(std::uint64_t reader, std::size_t output,
                                           std::size_t most);
  // A reader that has not been told of new text yet; it counts as told from now on.
  [[nodiscard]] std::optional<std::uint64_t> take_reader_to_tell();
  [[nodiscard]] bool reads(std::uint64_t reader) const;

  // The reader has ended.
  void lose_reader(std::uint64_t reader);
  // The machine is about to end: from now on everything goes out by the emergency serial line.
  void lose_all_readers();

  // No text goes out by the emergency serial line (console=screen).
  void set_quiet(bool quiet) { quiet_ = quiet; }

private:
  static constexpr std::uint64_t nobody = 0;

  struct Output {
    std::uint64_t reader = nobody;      // number of a process
    std::uint64_t sent = 0, taken = 0;  // characters since the start; between: taken, not yet out
    bool reported = false;              // the reader knows that there is text
  };
  [[nodiscard]] const Output& serial() const { return outputs_[0]; }
  void write_raw(std::string_view text);
  void make_room();
  void send_until(std::uint64_t end);
  void send_unread();

  std::array<char, 64 << 10> ring_{};
  std::uint64_t head_ = 0;  // characters since the start
  std::array<Output, outputs> outputs_{};
  bool within_line_ = false;  // the last line is unfinished
  bool quiet_ = false;
};

}  // namespace reprise
