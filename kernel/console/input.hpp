// What people type: taken from the serial line when the kernel passes by, kept until a program
// reads it. With stdin=none every read finds the end of input.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "arch/machine.hpp"
#include "kernel/abi/init.hpp"

namespace reprise {

class ConsoleInput {
public:
  constexpr explicit ConsoleInput(const KernelSettings& settings) : settings_{settings} {}

  // Takes over what has arrived; what does not fit is lost.
  void poll() {
    used_ += arch::read_console(std::span{buffer_}.subspan(used_));
    if (at_end()) used_ = 0;  // nobody will read it
  }
  [[nodiscard]] bool at_end() const { return settings_.console_input == 0; }
  [[nodiscard]] bool empty() const { return used_ == 0; }
  // Oldest first; 0 when empty.
  [[nodiscard]] std::size_t take(std::span<char> buffer) {
    const std::size_t count = used_ < buffer.size() ? used_ : buffer.size();
    __builtin_memcpy(buffer.data(), buffer_.data(), count);
    __builtin_memmove(buffer_.data(), buffer_.data() + count, used_ - count);
    used_ -= count;
    return count;
  }

private:
  const KernelSettings& settings_;
  std::array<char, 1024> buffer_{};
  std::size_t used_ = 0;
};

}  // namespace reprise
