// The terminal as standard input and output. Input comes in lines. Carriage return ends a line,
// backspace takes a character back, and 0x04 (control-D) ends the input or hands over the line as
// it is. Characters are echoed when the program is told that this is a terminal (REPRISE_TTY=1).
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

[[nodiscard]] Value read_terminal(UserAddress to, std::uint64_t bytes, bool at_once);
[[nodiscard]] Value write_terminal(UserAddress from, std::uint64_t bytes);

// How often it is asked while something else may end the wait, in nanoseconds.
inline constexpr std::uint64_t terminal_interval = 10'000'000;

// True: a read would not wait. Takes in what the terminal has.
[[nodiscard]] bool terminal_has_input();
// Waits until terminal_has_input().
void wait_for_terminal();
[[nodiscard]] std::uint64_t terminal_bytes_ready();

}  // namespace personality
