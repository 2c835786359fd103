// The tree of files, all in memory. A Node is a file (what Linux calls an inode), an Entry is one
// name of it in a directory: hard links are entries that share a node. A node lives while an entry
// or an open file holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "user/linux/content.hpp"

namespace personality {

enum class NodeType : std::uint8_t { File, Directory, Link, Device };

enum class Device : std::uint8_t {
  None,
  Null,
  Zero,
  Full,
  Random,
  Terminal,
  Input,
  Output,
  Errors  // the last three: descriptor 0-2
};

// Files of /proc: their text is made at each open (proc_files.cpp).
enum class Generated : std::uint8_t { None, Maps, Memory, Processors };

struct Entry;

struct Node {
  NodeType type = NodeType::File;
  Device device = Device::None;
  Generated generated = Generated::None;
  bool touched = false;    // changed since `modified` was read: now counts as the time
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t links = 0;
  std::uint32_t user = 0, group = 0;
  std::uint32_t special_major = 0, special_minor = 0;
  std::uint64_t holders = 0;  // open files, mapped pages and the working directory
  std::uint64_t mapped_pages = 0;
  std::uint32_t shared_locks = 0, exclusive_locks = 0;  // flock; of open files
  std::uint64_t number = 0;
  std::uint64_t modified = 0;  // nanoseconds since 1970
  std::uint64_t accessed = 0;  // set by utimensat only
  Content content;             // of a file
  std::string_view target;     // of a symbolic link
  bool target_owned = false;
  Entry* first = nullptr;  // of a directory, in order of cookies
  Entry* last = nullptr;
  Entry* self = nullptr;          // the directory's own entry; nullptr: the root, or removed
  std::uint64_t next_cookie = 3;  // 1 and 2 are "." and ".."

  [[nodiscard]] bool is_directory() const { return type == NodeType::Directory; }
};

struct Entry {
  std::string_view name;
  bool name_owned;
  Node* parent;
  Node* node;
  Entry *next, *previous;  // in the directory
  Entry* chain;            // in the hash table
  std::uint64_t cookie;    // position of a directory stream behind this entry
};

class Tree {
public:
  // An empty root directory. False: no memory.
  [[nodiscard]] bool initialise();

  [[nodiscard]] Node& root() const { return *root_; }
  [[nodiscard]] Node* parent_of(const Node& directory) const;
  [[nodiscard]] Entry* lookup(const Node& directory, std::string_view name) const;

  [[nodiscard]] Node* create(NodeType type, std::uint32_t mode);
  // A new name; the name is copied unless it outlives the tree. nullptr: no memory.
  enum class Name { Copy, Keep };
  [[nodiscard]] Entry* add(Node& directory, std::string_view name, Node& node, Name lifetime);
  void remove(Entry& entry);

  void hold(Node& node) { ++node.holders; }
  void let_go(Node& node);
  void hold_mapped(Node& node, std::uint64_t pages);
  void let_go_mapped(Node& node, std::uint64_t pages);
  void drop_unused(Node& node);  // frees it if nothing holds it

  [[nodiscard]] std::uint64_t count() const { return entries_; }

  // A name of the node, which is not a directory; nullptr: it has none any more. Takes a look at
  // each name that there is.
  [[nodiscard]] const Entry* name_of(const Node& node) const;

private:
  [[nodiscard]] std::uint64_t slot(const Node& directory, std::string_view name) const;
  [[nodiscard]] bool grow();

  Node* root_ = nullptr;
  Entry** table_ = nullptr;
  std::uint64_t slots_ = 0, entries_ = 0, next_number_ = 1;
};

[[nodiscard]] Tree& tree();  // built from the archive at its first use (tree_build.cpp)

}  // namespace personality
