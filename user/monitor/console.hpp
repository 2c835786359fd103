// The guest's console as the world sees it. Output is gathered until a line ends, the guest idles,
// or the buffer is full: one call each. The carriage return of a line's end is left out, as the
// console adds its own. Input waits here until the guest's serial port has room.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "user/monitor/devices/byte_sink.hpp"

namespace monitor {

class TextOutput {
public:
  virtual void write(std::string_view text) = 0;

protected:
  ~TextOutput() = default;
};

class ConsoleOutput final : public ByteSink {
public:
  explicit ConsoleOutput(TextOutput& output) : output_{output} {}

  void put(char byte) override;
  void flush();
  [[nodiscard]] bool has_printed() const { return has_printed_; }

private:
  void append(char byte);

  TextOutput& output_;
  std::array<char, 1024> text_{};
  std::size_t used_ = 0;
  bool returned_ = false;  // the last character was a carriage return
  bool has_printed_ = false;
};

class ConsoleInput {
public:
  // Where new input goes; empty while some is left.
  [[nodiscard]] std::span<char> room() {
    return next_ == end_ ? std::span{text_} : std::span<char>{};
  }
  void came(std::size_t bytes) {
    next_ = 0;
    end_ = bytes;
  }
  [[nodiscard]] bool empty() const { return next_ == end_; }
  [[nodiscard]] char take() {
    const char byte = text_[next_];
    ++next_;
    return byte;
  }

private:
  std::array<char, 512> text_{};
  std::size_t next_ = 0, end_ = 0;
};

}  // namespace monitor
