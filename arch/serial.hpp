// Polled serial lines. The first is the emergency output, used until the terminal's driver runs and
// whenever that driver cannot.
#pragma once

#include <string_view>

namespace arch {

void start_emergency_serial();  // needs nothing; bounded when no UART answers

// Writes \n as \r\n. What cannot be written in bounded time is lost.
void write_emergency(std::string_view text);

// The same on a second port, which has no driver: for the timeline (kernel/timeline.hpp).
void start_second_serial();
void write_second_serial(std::string_view text);

}  // namespace arch
