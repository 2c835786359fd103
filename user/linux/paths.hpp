// From a path to a node: components, ".", "..", symbolic links (at most 40 on the way).
#pragma once

#include <string_view>

#include "user/linux/errno.hpp"
#include "user/linux/nodes.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

inline constexpr int at_working_directory = -100;  // AT_FDCWD
inline constexpr std::size_t longest_path = 4096, longest_name = 255;

// Holds the text of a path while it is resolved; links are spliced into it.
struct PathText {
  char text[longest_path];
  std::size_t length;

  [[nodiscard]] Value load(UserAddress path);  // ENAMETOOLONG, EFAULT; 0
  [[nodiscard]] bool set(std::string_view path);
};

enum class LastLink { Follow, Keep };

struct Found {
  Node* parent = nullptr;  // where the last component is, or would be
  Entry* entry = nullptr;  // nullptr: nothing there yet, or the path ends in "." or ".." or is "/"
  Node* node = nullptr;    // nullptr: nothing there yet
  std::string_view last;   // last component, within the PathText
  bool directory_wanted = false;  // the path ends in a slash
};

// 0 also when only the last component is missing (node == nullptr); ENOENT, ENOTDIR, ELOOP...
[[nodiscard]] Value resolve(Tree& tree, Node& base, PathText& path, LastLink last, Found& found);

// The same for the path of a call: relative to the directory open as `directory`.
[[nodiscard]] Value resolve_user(int directory, UserAddress path, LastLink last, PathText& text,
                                 Found& found);
// The same, but a missing file is ENOENT.
[[nodiscard]] Value find_user(int directory, UserAddress path, LastLink last, Node*& node);

[[nodiscard]] Node& working_directory();
void set_working_directory(Node& directory);

}  // namespace personality
