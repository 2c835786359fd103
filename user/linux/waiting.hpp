// Waiting. The process has one thread, so nothing that it waits for can happen meanwhile but its
// own timer (timers.cpp), and input at the terminal.
#pragma once

#include <cstdint>
#include <string_view>

#include "user/linux/errno.hpp"

namespace personality {

enum class Woken { ByTime, BySignal };

// Until the time on the monotonic clock, or until the timer's signal is to be delivered.
[[nodiscard]] Woken sleep_until(std::uint64_t end);

// When a signal is to be delivered: EINTR, or Restart for a call that may begin again. When none
// can come, the process ends with a line that names what it waits for: on Linux it would hang.
enum class Interrupted { Ends, MayRestart };
[[nodiscard]] Value wait_for_signal(std::string_view what, Interrupted call = Interrupted::Ends);

}  // namespace personality
