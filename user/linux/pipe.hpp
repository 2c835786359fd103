// Pipes within the one process. No other process can fill or empty one meanwhile, so a read or
// write that would wait fails with EAGAIN, whether O_NONBLOCK is set or not.
#pragma once

#include "user/linux/descriptors.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

struct Pipe {
  static constexpr std::uint32_t capacity = 65536;
  char* bytes;
  std::uint32_t first, count;
  std::uint32_t readers, writers;  // open files
};

[[nodiscard]] Value read_pipe(Pipe& pipe, UserAddress to, std::uint64_t bytes);
[[nodiscard]] Value write_pipe(Pipe& pipe, UserAddress from, std::uint64_t bytes);
void leave_pipe(OpenFile& file);

}  // namespace personality
