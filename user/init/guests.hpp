// The names of guests: a guest is no boot module, so init gives it one. They stand in boot
// arguments as other programs' names do.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernel/base/text_line.hpp"
#include "user/init/words.hpp"

namespace reprise {

inline constexpr std::size_t most_guests = 8;  // of one boot

// "guest", "guest2", ... up to the number of guests that one boot can have.
[[nodiscard]] inline TextLine guest_name(std::size_t number) {
  return number == 1 ? TextLine{"guest"} : TextLine{"guest", number};
}

[[nodiscard]] inline bool is_guest_name(std::string_view name) {
  for (std::size_t number = 1; number <= most_guests; ++number) {
    if (guest_name(number).view() == name) return true;
  }
  return false;
}

}  // namespace reprise
