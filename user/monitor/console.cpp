// See console.hpp.
#include "user/monitor/console.hpp"

namespace monitor {

void ConsoleOutput::put(char byte) {
  has_printed_ = true;
  if (returned_ && byte != '\n') append('\r');
  returned_ = byte == '\r';
  if (returned_) return;
  append(byte);
  if (byte == '\n') flush();
}

void ConsoleOutput::append(char byte) {
  if (used_ == text_.size()) flush();
  text_[used_] = byte;
  ++used_;
}

void ConsoleOutput::flush() {
  if (used_ == 0) return;
  output_.write({text_.data(), used_});
  used_ = 0;
}

}  // namespace monitor
