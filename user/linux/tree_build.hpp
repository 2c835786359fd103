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

// What is there already stays. All texts live as long as the tree: `executable`, the target of
// /proc/self/exe, and `number`, the process's.
void add_builtin_files(Tree& tree, std::string_view executable, std::string_view number);
// The program's own file, unless the archive has one at this absolute path.
void add_program(Tree& tree, std::string_view path, std::span<const std::byte> file);

}  // namespace personality
