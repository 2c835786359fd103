// The native system calls as functions. A negative result is the negative of a reprise_error
// (kernel/abi/reprise.h). raw_call() is for programs that call wrongly on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/reprise.h"

extern "C" std::int64_t reprise_system_call(std::uint64_t number, std::uint64_t a, std::uint64_t b,
                                            std::uint64_t c, std::uint64_t d, std::uint64_t e);

namespace user {

inline std::int64_t raw_call(std::uint64_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                             std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0) {
  return reprise_system_call(number, a, b, c, d, e);
}

[[noreturn]] void exit(int status);
std::int64_t log(std::string_view text);  // bytes written; at most REPRISE_LOG_BYTES
[[nodiscard]] std::int64_t map(std::uint64_t address, std::size_t bytes, unsigned protection,
                               unsigned flags = 0);
[[nodiscard]] std::int64_t unmap(std::uint64_t address, std::size_t bytes);
[[nodiscard]] std::int64_t protect(std::uint64_t address, std::size_t bytes, unsigned protection);
[[nodiscard]] std::int64_t set_base(unsigned which, std::uint64_t address);
[[nodiscard]] std::int64_t time();                    // nanoseconds since kernel entry
std::int64_t sleep_until(std::uint64_t nanoseconds);  // monotonic clock
std::int64_t yield();
[[nodiscard]] std::int64_t entropy();
[[nodiscard]] std::int64_t self();
// Drivers: the log's text for an output, 0: none yet; and into device memory that is granted.
[[nodiscard]] std::int64_t read_log(std::span<char> buffer, unsigned output);
std::int64_t device_write(std::uint64_t physical, std::span<const std::byte> bytes);
std::int64_t resume(const reprise_frame& frame);  // returns only with an error

}  // namespace user
