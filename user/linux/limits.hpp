// The resource limits that calls of other files keep. All are fixed at the start or set by
// setrlimit.
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"

namespace personality {

// RLIMIT_AS: whether the address space would be too large with so many bytes more.
[[nodiscard]] bool is_over_limit(std::uint64_t bytes);

// RLIMIT_FSIZE: makes `bytes` fewer where a write at `offset` would exceed it. When not one is
// left, as exceed_file_size().
[[nodiscard]] Value limit_file_size(std::uint64_t offset, std::uint64_t& bytes);
// EFBIG, and SIGXFSZ.
[[nodiscard]] Value exceed_file_size();

[[nodiscard]] int open_file_limit();  // RLIMIT_NOFILE: descriptors are below it

}  // namespace personality
