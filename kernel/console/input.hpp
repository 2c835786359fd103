// What people type: taken from the serial line when the kernel passes by, kept until a program
// reads it. With stdin=none every read finds the end of input.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "kernel/parse/settings.hpp"

namespace reprise {

class ConsoleInput {
public:
  explicit ConsoleInput(Settings::Input source) : source_{source} {}

  void poll();  // takes over what has arrived; what does not fit is lost
  [[nodiscard]] bool at_end() const { return source_ == Settings::Input::None; }
  [[nodiscard]] bool empty() const { return used_ == 0; }
  [[nodiscard]] std::size_t take(std::span<char> buffer);  // oldest first; 0 when empty

private:
  Settings::Input source_;
  std::array<char, 1024> buffer_{};
  std::size_t used_ = 0;
};

}  // namespace reprise
