// What a file is, in the form that stat and statx derive theirs from.
#pragma once

#include <cstdint>

#include "user/linux/descriptors.hpp"
#include "user/linux/nodes.hpp"

namespace personality {

struct FileStatus {
  std::uint64_t number, links, size, blocks, modified, accessed;
  std::uint32_t mode;  // with the type bits
  std::uint32_t user, group, special_major, special_minor;
};

[[nodiscard]] FileStatus status_of(Node& node);
[[nodiscard]] FileStatus status_of(const OpenFile& file);

}  // namespace personality
