// The process's one timer, ITIMER_REAL: it sends SIGALRM. While the program computes, the kernel's
// interrupt brings it; while the personality waits, waiting.cpp looks after it.
#pragma once

#include <cstdint>

namespace personality {

inline constexpr std::uint64_t never = ~std::uint64_t{0};

[[nodiscard]] std::uint64_t timer_expiry();  // monotonic nanoseconds, or never
// Raises SIGALRM if the time has come, and sets a repeated timer again.
void expire_timer(std::uint64_t now);

}  // namespace personality
