#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "user/linux/nodes.hpp"

namespace personality {

struct ArchiveProblem {
  std::string_view text;  // empty: none
  std::size_t offset;
};

// Adds all usable entries of the archive, up to its end or to the place where it is broken.
[[nodiscard]] ArchiveProblem build_tree(Tree& tree, std::span<const std::byte> archive);

// Both the tree and `executable` (the target of /proc/self/exe) live as long as the process.
void add_builtin_files(Tree& tree, std::string_view executable);

}  // namespace personality
