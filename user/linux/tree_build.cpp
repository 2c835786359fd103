// Builds the tree of files from the archive. Then it adds the few files that Linux programs expect
// in every system: the devices below /dev, some of /proc, /tmp, and the program itself.
#include "user/linux/tree_build.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/log.hpp"
#include "user/linux/native.hpp"
#include "user/linux/process.hpp"
#include "user/loader/cpio.hpp"

namespace personality {

namespace {

using reprise::ArchiveEntry;
using reprise::ArchiveReader;
using reprise::ArchiveStatus;

constexpr std::uint32_t type_mask = 0170000, type_directory = 0040000, type_file = 0100000,
                        type_link = 0120000, type_character = 0020000;
constexpr std::uint64_t second = 1'000'000'000;

// Finds the earlier names of a file. All names of one file in an archive have the same inode and
// device; only one of them carries the data.
class HardLinks {
public:
  Node* find(const ArchiveEntry& entry) const {
    for (const Seen* seen = seen_[entry.inode % buckets]; seen != nullptr; seen = seen->next) {
      const bool same_device =
          seen->major == entry.device_major && seen->minor == entry.device_minor;
      if (same_device && seen->inode == entry.inode) return seen->node;
    }
    return nullptr;
  }
  void remember(const ArchiveEntry& entry, Node& node) {
    Seen* seen = heap().create<Seen>();
    if (seen == nullptr) return;
    Seen*& head = seen_[entry.inode % buckets];
    *seen = {.inode = entry.inode,
             .major = entry.device_major,
             .minor = entry.device_minor,
             .node = &node,
             .next = head};
    head = seen;
    tree_holds(node, +1);
  }
  void forget(Tree& tree) {
    for (Seen*& head : seen_) {
      while (head != nullptr) {
        Seen* const following = head->next;
        tree.let_go(*head->node);
        heap().destroy(head);
        head = following;
      }
    }
  }

private:
  struct Seen {
    std::uint32_t inode, major, minor;
    Node* node;
    Seen* next;
  };
  static void tree_holds(Node& node, int by) { node.holders += static_cast<unsigned>(by); }
  static constexpr std::uint32_t buckets = 64;
  Seen* seen_[buckets] = {};
};

Device device_of(std::uint32_t major, std::uint32_t minor) {
  if (major == 5) return Device::Terminal;
  if (major != 1) return Device::None;
  switch (minor) {
    case 3: return Device::Null;
    case 5: return Device::Zero;
    case 7: return Device::Full;
    case 8:
    case 9: return Device::Random;
    default: return Device::None;
  }
}

// The directory `name` below `directory`. Makes it when there is none; nullptr: no memory, or the
// name belongs to another type of file.
Node* enter(Tree& tree, Node& directory, std::string_view name) {
  if (name == ".") return &directory;
  if (const Entry* entry = tree.lookup(directory, name); entry != nullptr) {
    return entry->node->is_directory() ? entry->node : nullptr;
  }
  Node* node = tree.create(NodeType::Directory, 0755);
  if (node == nullptr) return nullptr;
  return tree.add(directory, name, *node, Tree::Name::Keep) != nullptr ? node : nullptr;
}

// Walks to the directory of the last component and leaves that component in `path`. An empty `path`
// means the root itself.
Node* enter_parents(Tree& tree, std::string_view& path) {
  Node* directory = &tree.root();
  for (;;) {
    while (path.starts_with('/')) path = path.substr(1);
    while (path.ends_with('/')) path = path.substr(0, path.size() - 1);
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component == ".." || component.size() > 255) return nullptr;
    if (slash == path.npos) {
      if (component == ".") path = {};
      return directory;
    }
    directory = enter(tree, *directory, component);
    if (directory == nullptr) return nullptr;
    path = path.substr(slash + 1);
  }
}

void set_attributes(Node& node, const ArchiveEntry& entry) {
  node.mode = entry.mode & 07777;
  node.user = entry.user;
  node.group = entry.group;
  node.modified = entry.modified * second;
  node.accessed = node.modified;
}

Node* node_for(Tree& tree, const ArchiveEntry& entry) {
  const std::uint32_t type = entry.mode & type_mask;
  NodeType node_type = NodeType::Device;
  if (type == type_file) node_type = NodeType::File;
  if (type == type_link) node_type = NodeType::Link;
  Node* node = tree.create(node_type, 0);
  if (node == nullptr) return nullptr;
  if (type == type_link) {
    node->target = {reinterpret_cast<const char*>(entry.data.data()), entry.data.size()};
  }
  if (type == type_character) node->device = device_of(entry.special_major, entry.special_minor);
  node->special_major = entry.special_major;
  node->special_minor = entry.special_minor;
  return node;
}

bool add_directory(Tree& tree, Node& parent, std::string_view name, const ArchiveEntry& entry) {
  Node* directory = name.empty() ? &tree.root() : enter(tree, parent, name);
  if (directory != nullptr) set_attributes(*directory, entry);
  return directory != nullptr;
}

// False: no memory, or the name contradicts an earlier entry.
bool add_entry(Tree& tree, const ArchiveEntry& entry, HardLinks& links) {
  std::string_view name = entry.name;
  Node* const parent = enter_parents(tree, name);
  if (parent == nullptr) return false;
  if ((entry.mode & type_mask) == type_directory) return add_directory(tree, *parent, name, entry);
  if (name.empty()) return false;
  if (Entry* old = tree.lookup(*parent, name); old != nullptr) {  // the later entry wins
    Node& replaced = *old->node;
    if (replaced.is_directory()) return false;
    tree.remove(*old);
    tree.drop_unused(replaced);
  }
  Node* node = entry.links > 1 ? links.find(entry) : nullptr;
  if (node == nullptr) {
    node = node_for(tree, entry);
    if (node == nullptr) return false;
    if (entry.links > 1) links.remember(entry, *node);
  }
  set_attributes(*node, entry);
  if (node->type == NodeType::File && !entry.data.empty()) node->content.set_archived(entry.data);
  return tree.add(*parent, name, *node, Tree::Name::Keep) != nullptr;
}

void add_device(Tree& tree, std::string_view name, Device device, std::uint32_t major,
                std::uint32_t minor) {
  Node* directory = enter(tree, tree.root(), "dev");
  if (directory == nullptr || tree.lookup(*directory, name) != nullptr) return;
  Node* node = tree.create(NodeType::Device, 0666);
  if (node == nullptr) return;
  node->device = device;
  node->special_major = major;
  node->special_minor = minor;
  if (tree.add(*directory, name, *node, Tree::Name::Keep) == nullptr) tree.drop_unused(*node);
}

Node* add_node(Tree& tree, Node* directory, std::string_view name, NodeType type,
               std::uint32_t mode) {
  if (directory == nullptr || tree.lookup(*directory, name) != nullptr) return nullptr;
  Node* node = tree.create(type, mode);
  if (node == nullptr) return nullptr;
  if (tree.add(*directory, name, *node, Tree::Name::Keep) != nullptr) return node;
  tree.drop_unused(*node);
  return nullptr;
}

void add_link(Tree& tree, Node* directory, std::string_view name, std::string_view target) {
  if (Node* node = add_node(tree, directory, name, NodeType::Link, 0777)) node->target = target;
}

void add_generated(Tree& tree, Node* directory, std::string_view name, Generated generated) {
  Node* node = add_node(tree, directory, name, NodeType::File, 0444);
  if (node != nullptr) node->generated = generated;
}

void add_directory(Tree& tree, Node* parent, std::string_view name, std::uint32_t mode) {
  if (parent == nullptr || tree.lookup(*parent, name) != nullptr) return;
  if (Node* directory = enter(tree, *parent, name)) directory->mode = mode;
}

void add_proc(Tree& tree, std::string_view executable, std::string_view number) {
  Node* const proc = enter(tree, tree.root(), "proc");
  if (proc == nullptr) return;
  Node* self = enter(tree, *proc, number);
  const Entry* const given = tree.lookup(*proc, "self");
  if (given == nullptr) add_link(tree, proc, "self", number);
  if (given != nullptr && given->node->is_directory()) self = given->node;  // the archive's
  add_link(tree, self, "exe", executable);
  add_generated(tree, self, "maps", Generated::Maps);
  add_generated(tree, proc, "meminfo", Generated::Memory);
  add_generated(tree, proc, "cpuinfo", Generated::Processors);
}

}  // namespace

ArchiveProblem build_tree(Tree& tree, std::span<const std::byte> archive) {
  if (archive.empty()) return {};
  ArchiveReader reader(archive);
  ArchiveEntry entry;
  HardLinks links;
  ArchiveProblem problem{};
  ArchiveStatus status = reader.next(entry);
  while (status == ArchiveStatus::Entry) {
    const bool added = add_entry(tree, entry, links);
    if (!added && problem.text.empty()) {
      problem = {"has a name that cannot be used, or memory is short", reader.offset()};
    }
    status = reader.next(entry);
  }
  if (status == ArchiveStatus::Broken) problem = {reader.problem(), reader.offset()};
  links.forget(tree);
  return problem;
}

void add_builtin_files(Tree& tree, std::string_view executable, std::string_view number) {
  add_device(tree, "null", Device::Null, 1, 3);
  add_device(tree, "zero", Device::Zero, 1, 5);
  add_device(tree, "full", Device::Full, 1, 7);
  add_device(tree, "random", Device::Random, 1, 8);
  add_device(tree, "urandom", Device::Random, 1, 9);
  add_device(tree, "tty", Device::Terminal, 5, 0);
  add_device(tree, "console", Device::Terminal, 5, 1);
  add_device(tree, "stdin", Device::Input, 5, 2);
  add_device(tree, "stdout", Device::Output, 5, 2);
  add_device(tree, "stderr", Device::Errors, 5, 2);
  add_directory(tree, enter(tree, tree.root(), "dev"), "shm", 01777);
  add_directory(tree, &tree.root(), "tmp", 01777);
  add_proc(tree, executable, number);
}

void add_program(Tree& tree, std::string_view path, std::span<const std::byte> file) {
  if (file.empty()) return;
  Node* const directory = enter_parents(tree, path);
  Node* const node = add_node(tree, directory, path, NodeType::File, 0755);
  if (node != nullptr) node->content.set_archived(file);
}

// The process's number in digits, for as long as the process lives.
std::string_view process_digits() {
  static constinit char text[20] = {};
  std::size_t first = sizeof text;
  std::uint64_t rest = process_number();
  do {
    --first;
    text[first] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  return {text + first, sizeof text - first};
}

Tree& tree() {
  static constinit Tree the_tree{};
  static constinit bool built = false;
  if (built) return the_tree;
  built = true;
  const reprise_start& start = process().start;
  const std::span archive(reinterpret_cast<const std::byte*>(start.archive_address),
                          start.archive_address != 0 ? start.archive_bytes : 0);
  if (!the_tree.initialise()) {
    Line() << "no memory for the file tree";
    native::exit(127);
  }
  const ArchiveProblem problem = build_tree(the_tree, archive);
  if (!problem.text.empty()) {
    Line() << "the archive " << problem.text << " (at byte " << problem.offset
           << "); what could be read is there";
  }
  add_builtin_files(the_tree, process().executable, process_digits());
  const auto* const file = reinterpret_cast<const std::byte*>(start.file_address);
  add_program(the_tree, process().executable, {file, file != nullptr ? start.file_bytes : 0});
  return the_tree;
}

}  // namespace personality
