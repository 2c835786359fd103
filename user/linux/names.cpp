// Makes, removes and moves names: mkdir, rmdir, unlink, rename, link, symlink.
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

constexpr std::uint64_t remove_directory = 0x200, follow_link = 0x400;  // AT_*

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

// Gives a new node its name. Without memory for the name, the node is dropped.
Value add_named(const Found& found, Node* node) {
  if (node == nullptr) return fail(Errno::NoSpace);
  node->modified = wall_nanoseconds();
  node->accessed = node->modified;
  if (tree().add(*found.parent, found.last, *node, Tree::Name::Copy) == nullptr) {
    tree().drop_unused(*node);
    return fail(Errno::NoSpace);
  }
  found.parent->touched = true;
  return 0;
}

Value make_directory(int base, UserAddress path, std::uint64_t mode) {
  PathText text;
  Found found;
  const Value result = resolve_user(base, path, LastLink::Keep, text, found);
  if (result < 0) return result;
  if (found.node != nullptr) return fail(Errno::Exists);
  const auto bits = static_cast<std::uint32_t>(mode & 07777) & ~process().file_mode_mask;
  return add_named(found, tree().create(NodeType::Directory, bits));
}

void drop_entry(Entry& entry) {
  Node& node = *entry.node;
  entry.parent->touched = true;
  tree().remove(entry);
  tree().drop_unused(node);
}

Value remove_name(int base, UserAddress path, bool directory) {
  PathText text;
  Found found;
  const Value result = resolve_user(base, path, LastLink::Keep, text, found);
  if (result < 0) return result;
  if (found.node == nullptr) return fail(Errno::NoEntry);
  if (!directory) {
    if (found.node->is_directory()) return fail(Errno::IsDirectory);
  } else {
    if (!found.node->is_directory()) return fail(Errno::NotDirectory);
    if (found.last == ".." || found.node->first != nullptr) return fail(Errno::NotEmpty);
    if (found.entry == nullptr) return fail(Errno::Invalid);
  }
  drop_entry(*found.entry);
  return 0;
}

bool is_within(const Node& directory, const Node& ancestor) {
  for (const Node* node = &directory;; node = node->self->parent) {
    if (node == &ancestor) return true;
    if (node->self == nullptr) return false;
  }
}

Value check_replacement(const Found& from, const Found& to) {
  if (to.node == nullptr) {
    return to.directory_wanted && !from.node->is_directory() ? fail(Errno::NotDirectory) : 0;
  }
  if (to.entry == nullptr) return fail(Errno::Exists);
  if (!from.node->is_directory()) return to.node->is_directory() ? fail(Errno::IsDirectory) : 0;
  if (!to.node->is_directory()) return fail(Errno::NotDirectory);
  return to.node->first != nullptr ? fail(Errno::NotEmpty) : 0;
}

// Adds the new name before it removes the old one. When memory is short, nothing has changed.
Value move_entry(const Found& from, const Found& to) {
  Node& node = *from.node;
  const bool directory = node.is_directory();
  if (!directory) {
    if (tree().add(*to.parent, to.last, node, Tree::Name::Copy) == nullptr) {
      return fail(Errno::NoSpace);
    }
    if (to.entry != nullptr) drop_entry(*to.entry);
    drop_entry(*from.entry);
  } else {
    // A directory can have only one entry (`self`, and the counts of links), so the old one goes
    // first.
    const std::string_view old_name = from.entry->name;
    Node& old_parent = *from.parent;
    char kept[longest_name];
    memcpy(kept, old_name.data(), old_name.size());
    const std::size_t length = old_name.size();
    tree().hold(node);
    tree().remove(*from.entry);
    if (tree().add(*to.parent, to.last, node, Tree::Name::Copy) == nullptr) {
      const bool undone = tree().add(old_parent, {kept, length}, node, Tree::Name::Copy) != nullptr;
      tree().let_go(node);
      return fail(undone ? Errno::NoSpace : Errno::InputOutput);
    }
    tree().let_go(node);
    if (to.entry != nullptr) drop_entry(*to.entry);
    old_parent.touched = true;
  }
  to.parent->touched = true;
  return 0;
}

Value rename_at(int from_base, UserAddress from_path, int to_base, UserAddress to_path,
                std::uint64_t flags) {
  constexpr std::uint64_t no_replace = 1;
  if ((flags & ~no_replace) != 0) return fail(Errno::Invalid);
  PathText from_text, to_text;
  Found from, to;
  Value result = resolve_user(from_base, from_path, LastLink::Keep, from_text, from);
  if (result == 0) result = resolve_user(to_base, to_path, LastLink::Keep, to_text, to);
  if (result < 0) return result;
  if (from.node == nullptr) return fail(Errno::NoEntry);
  if (from.entry == nullptr || is_dot(to.last)) return fail(Errno::Invalid);
  if (to.node != nullptr && (flags & no_replace) != 0) return fail(Errno::Exists);
  if (from.node == to.node) return 0;
  if (from.node->is_directory() && is_within(*to.parent, *from.node)) return fail(Errno::Invalid);
  result = check_replacement(from, to);
  return result < 0 ? result : move_entry(from, to);
}

Value link_at(int from_base, UserAddress from_path, int to_base, UserAddress to_path,
              std::uint64_t flags) {
  PathText text;
  Found from, to;
  const LastLink last = (flags & follow_link) != 0 ? LastLink::Follow : LastLink::Keep;
  Value result = resolve_user(from_base, from_path, last, text, from);
  if (result < 0) return result;
  if (from.node == nullptr) return fail(Errno::NoEntry);
  if (from.node->is_directory()) return fail(Errno::NotPermitted);
  result = resolve_user(to_base, to_path, LastLink::Keep, text, to);
  if (result < 0) return result;
  if (to.node != nullptr) return fail(Errno::Exists);
  if (to.directory_wanted) return fail(Errno::NoEntry);
  Entry* entry = tree().add(*to.parent, to.last, *from.node, Tree::Name::Copy);
  return entry == nullptr ? fail(Errno::NoSpace) : 0;
}

Value symbolic_link_at(UserAddress target, int base, UserAddress path) {
  PathText content, text;
  Found found;
  Value result = content.load(target);
  if (result == 0 && content.length == 0) result = fail(Errno::NoEntry);
  if (result == 0) result = resolve_user(base, path, LastLink::Keep, text, found);
  if (result < 0) return result;
  if (found.node != nullptr) return fail(Errno::Exists);
  if (found.directory_wanted) return fail(Errno::NoEntry);
  char* copy = static_cast<char*>(heap().allocate(content.length));
  Node* node = copy != nullptr ? tree().create(NodeType::Link, 0777) : nullptr;
  if (node == nullptr) {
    heap().release(copy, content.length);
    return fail(Errno::NoSpace);
  }
  memcpy(copy, content.text, content.length);
  node->target = {copy, content.length};
  node->target_owned = true;
  return add_named(found, node);
}

}  // namespace

Value call_mkdir(Call& call) {
  return make_directory(at_working_directory, call.user(0), call.argument[1]);
}
Value call_mkdirat(Call& call) {
  return make_directory(call.integer(0), call.user(1), call.argument[2]);
}
Value call_rmdir(Call& call) { return remove_name(at_working_directory, call.user(0), true); }
Value call_unlink(Call& call) { return remove_name(at_working_directory, call.user(0), false); }
Value call_unlinkat(Call& call) {
  return remove_name(call.integer(0), call.user(1), (call.argument[2] & remove_directory) != 0);
}
Value call_rename(Call& call) {
  return rename_at(at_working_directory, call.user(0), at_working_directory, call.user(1), 0);
}
Value call_renameat(Call& call) {
  return rename_at(call.integer(0), call.user(1), call.integer(2), call.user(3), 0);
}
Value call_renameat2(Call& call) {
  return rename_at(call.integer(0), call.user(1), call.integer(2), call.user(3), call.argument[4]);
}
Value call_link(Call& call) {
  return link_at(at_working_directory, call.user(0), at_working_directory, call.user(1), 0);
}
Value call_linkat(Call& call) {
  return link_at(call.integer(0), call.user(1), call.integer(2), call.user(3), call.argument[4]);
}
Value call_symlink(Call& call) {
  return symbolic_link_at(call.user(0), at_working_directory, call.user(1));
}
Value call_symlinkat(Call& call) {
  return symbolic_link_at(call.user(0), call.integer(1), call.user(2));
}

}  // namespace personality
