#include "kernel/console/input.hpp"

#include "arch/machine.hpp"

namespace reprise {

void ConsoleInput::poll() {
  if (at_end()) return;
  used_ += arch::read_console(std::span{buffer_}.subspan(used_));
}

std::size_t ConsoleInput::take(std::span<char> buffer) {
  const std::size_t count = used_ < buffer.size() ? used_ : buffer.size();
  __builtin_memcpy(buffer.data(), buffer_.data(), count);
  __builtin_memmove(buffer_.data(), buffer_.data() + count, used_ - count);
  used_ -= count;
  return count;
}

}  // namespace reprise
