// The log: all text that the kernel and the programs print, in a ring, until each output has sent
// it. An output is a driver in ring 3 that reads the log (REPRISE_LOG_READ); reading says that all
// that was read before is out. As long as nobody reads for the serial line, and from the end of the
// one who did, text goes out by the emergency serial line at once, and nothing is lost: what the
// driver had taken but not sent goes out again. While the serial line is far behind (crowded())
// only who sends the log and init run: neither programs' text nor the kernel's about them can fill
// it. A screen that is too far behind misses text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace reprise {

class Ipc;
class Process;

class Log {
public:
  static constexpr std::size_t outputs = 2;  // serial line, screen

  void write(std::string_view text);
  [[nodiscard]] bool crowded() const { return head_ - serial().sent > ring_.size() / 2; }

  // The oldest text that this output has not taken, which stays until it is overwritten.
  [[nodiscard]] std::span<const char> read(Process& reader, std::size_t output, std::size_t most);
  void tell_readers(Ipc& ipc);
  // Whether all readers wait for more.
  [[nodiscard]] bool all_sent() const;
  // The process has ended; nullptr: whoever reads, for the machine is about to end.
  void lose_reader(const Process* reader);

  bool quiet = false;  // no emergency output (console=screen)

private:
  struct Output {
    Process* reader = nullptr;
    std::uint64_t sent = 0, taken = 0;  // characters since the start; between: taken, not yet out
    bool told = false;                  // that there is text
  };
  [[nodiscard]] const Output& serial() const { return outputs_[0]; }
  void send_until(std::uint64_t end);

  std::array<char, 64 << 10> ring_{};
  std::uint64_t head_ = 0;  // characters since the start
  std::array<Output, outputs> outputs_{};
};

extern constinit Log kernel_log;

}  // namespace reprise
