// Messages between processes, and notes of the kernel (kernel/abi/reprise.h). A client calls
// call(). A server loops over receive(), and gives each answer with the receive() that follows it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/reprise.h"

namespace user {

using Words = std::array<std::uint64_t, 3>;

// Sends words and the first `bytes` of the buffer, and waits. The answer replaces both. Returns the
// number of bytes that came, or the negative of a reprise_error.
std::int64_t call(std::uint64_t to, Words& words, std::span<char> buffer = {},
                  std::size_t bytes = 0);

// Sends words and bytes, and waits for an answer without bytes. The answer's words replace those.
std::int64_t send(std::uint64_t to, Words& words, std::span<const char> bytes);

struct Received {
  std::int64_t sender;  // process; 0: the kernel; negative: an error, the answer was not delivered
  Words words;          // from the kernel: REPRISE_NOTE_...
  std::size_t bytes;
};

// Answers `to` (0: nobody) with words and the first `bytes` of the buffer, then waits. The next
// message is in the buffer.
Received receive(std::uint64_t to, const Words& words, std::span<char> buffer,
                 std::size_t bytes = 0);

std::int64_t alarm(std::uint64_t nanoseconds);  // on the monotonic clock; ~0: none
// The number of the process of that name, or -REPRISE_GONE.
[[nodiscard]] std::int64_t find(std::string_view name);

}  // namespace user
