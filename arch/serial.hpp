// The emergency output: a polled serial line, used until the terminal's driver runs and whenever
// that driver cannot.
#pragma once

#include <string_view>

namespace arch {

void start_emergency_serial();  // needs nothing; bounded when no UART answers

// Writes \n as \r\n. What cannot be written in bounded time is lost.
void write_emergency(std::string_view text);

}  // namespace arch
