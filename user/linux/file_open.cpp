// The calls open, openat, creat, close, close_range, dup, dup2, dup3 and fcntl.
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/file_mappings.hpp"
#include "user/linux/limits.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/proc_files.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

using namespace open_flags;

bool wants_write(std::uint32_t flags) { return (flags & access_mode) != 0; }

Value install_new(OpenKind kind, std::uint32_t flags, Node* node) {
  OpenFile* file = create_open_file(kind, flags & ~(create | exclusive | truncate), node);
  if (file == nullptr) return fail(Errno::NoMemory);
  const Value number = install(*file, 0, (flags & close_on_exec) != 0);
  if (number < 0) drop_if_unused(*file);
  return number;
}

// /dev/stdin, /dev/stdout and /dev/stderr are the open files behind descriptors 0, 1 and 2.
Value open_standard(int number, std::uint32_t flags) {
  OpenFile* file = descriptor(number);
  if (file == nullptr) return fail(Errno::NoEntry);
  return install(*file, 0, (flags & close_on_exec) != 0);
}

Value open_device(Node& node, std::uint32_t flags) {
  switch (node.device) {
    case Device::Null: return install_new(OpenKind::Null, flags, &node);
    case Device::Zero: return install_new(OpenKind::Zero, flags, &node);
    case Device::Full: return install_new(OpenKind::Full, flags, &node);
    case Device::Random: return install_new(OpenKind::Random, flags, &node);
    case Device::Terminal:
      return install_new(wants_write(flags) ? OpenKind::Output : OpenKind::Input, flags, nullptr);
    case Device::Input: return open_standard(0, flags);
    case Device::Output: return open_standard(1, flags);
    case Device::Errors: return open_standard(2, flags);
    case Device::None: break;
  }
  return fail(Errno::NoDevice);
}

Value open_node(Node& node, std::uint32_t flags) {
  if ((flags & path) != 0) return install_new(OpenKind::Path, flags, &node);
  switch (node.type) {
    case NodeType::Link: return fail(Errno::Loop);
    case NodeType::Device: return open_device(node, flags);
    case NodeType::Directory:
      if (wants_write(flags) || (flags & create) != 0) return fail(Errno::IsDirectory);
      return install_new(OpenKind::Directory, flags, &node);
    case NodeType::File: break;
  }
  if ((flags & directory) != 0) return fail(Errno::NotDirectory);
  if (node.generated != Generated::None) {
    if (wants_write(flags)) return fail(Errno::Access);
    if (const Value result = generate(node); result < 0) return result;
  }
  if ((flags & truncate) != 0 && wants_write(flags)) {
    if (const Value result = resize_node(node, 0); result < 0) return result;
  }
  return install_new(OpenKind::File, flags, &node);
}

Value create_file(const Found& found, std::uint32_t flags, std::uint32_t mode) {
  if (found.directory_wanted) return fail(Errno::IsDirectory);
  Node* node = tree().create(NodeType::File, mode & 07777 & ~process().file_mode_mask);
  if (node == nullptr) return fail(Errno::NoSpace);
  node->modified = wall_nanoseconds();
  node->accessed = node->modified;
  if (tree().add(*found.parent, found.last, *node, Tree::Name::Copy) == nullptr) {
    tree().drop_unused(*node);
    return fail(Errno::NoSpace);
  }
  found.parent->touched = true;
  return install_new(OpenKind::File, flags, node);
}

Value open_at(int base, UserAddress name, std::uint32_t flags, std::uint32_t mode) {
  if ((flags & temporary) == temporary) return fail(Errno::NotSupported);
  if ((flags & path) != 0) flags &= path | directory | no_follow | close_on_exec;
  const bool exclusively = (flags & create) != 0 && (flags & exclusive) != 0;
  const LastLink last = exclusively || (flags & no_follow) != 0 ? LastLink::Keep : LastLink::Follow;
  PathText text;
  Found found;
  if (const Value result = resolve_user(base, name, last, text, found); result < 0) return result;
  if (found.node == nullptr) {
    return (flags & create) != 0 ? create_file(found, flags, mode) : fail(Errno::NoEntry);
  }
  return exclusively ? fail(Errno::Exists) : open_node(*found.node, flags);
}

Value duplicate(int from, int lowest, bool closes_on_exec) {
  OpenFile* file = descriptor(from);
  if (file == nullptr) return fail(Errno::BadFile);
  if (lowest < 0 || lowest >= open_file_limit()) return fail(Errno::Invalid);
  return install(*file, lowest, closes_on_exec);
}

Value duplicate_to(int from, int to, bool closes_on_exec) {
  OpenFile* file = descriptor(from);
  if (file == nullptr || to < 0 || to >= open_file_limit()) return fail(Errno::BadFile);
  if (from != to) install_at(*file, to, closes_on_exec);
  return to;
}

std::uint32_t flags_of(const Call& call, unsigned index) {
  return static_cast<std::uint32_t>(call.argument[index]);
}

}  // namespace

Value call_open(Call& call) {
  return open_at(at_working_directory, call.user(0), flags_of(call, 1), flags_of(call, 2));
}
Value call_openat(Call& call) {
  return open_at(call.integer(0), call.user(1), flags_of(call, 2), flags_of(call, 3));
}
Value call_creat(Call& call) {
  return open_at(at_working_directory, call.user(0), create | write_only | truncate,
                 flags_of(call, 1));
}
Value call_close(Call& call) { return close_descriptor(call.integer(0)); }

Value call_close_range(Call& call) {
  constexpr std::uint64_t only_mark = 4;  // CLOSE_RANGE_CLOEXEC
  const std::uint64_t first = flags_of(call, 0), last = flags_of(call, 1);
  if (first > last || (call.argument[2] & ~(only_mark | 2)) != 0) return fail(Errno::Invalid);
  for (std::uint64_t number = first; number <= last && number < descriptor_limit; ++number) {
    const int index = static_cast<int>(number);
    if (descriptor(index) == nullptr) continue;
    if ((call.argument[2] & only_mark) != 0) {
      set_close_on_exec(index, true);
    } else {
      static_cast<void>(close_descriptor(index));
    }
  }
  return 0;
}

Value call_dup(Call& call) { return duplicate(call.integer(0), 0, false); }
Value call_dup2(Call& call) { return duplicate_to(call.integer(0), call.integer(1), false); }
Value call_dup3(Call& call) {
  if (call.integer(0) == call.integer(1)) return fail(Errno::Invalid);
  return duplicate_to(call.integer(0), call.integer(1), (flags_of(call, 2) & close_on_exec) != 0);
}

Value call_fcntl(Call& call) {
  enum { DupFd, GetFd, SetFd, GetFl, SetFl, GetLock, SetLock, SetLockWait, DupCloexec = 1030 };
  constexpr std::uint16_t unlocked = 2;
  constexpr std::uint32_t changeable = append | non_block;
  const int number = call.integer(0);
  OpenFile* file = descriptor(number);
  if (file == nullptr) return fail(Errno::BadFile);
  switch (call.integer(1)) {
    case DupFd: return duplicate(number, call.integer(2), false);
    case DupCloexec: return duplicate(number, call.integer(2), true);
    case GetFd: return is_close_on_exec(number) ? 1 : 0;
    case SetFd: set_close_on_exec(number, (call.argument[2] & 1) != 0); return 0;
    case GetFl: return file->flags;
    case SetFl:
      file->flags = (file->flags & ~changeable) | (flags_of(call, 2) & changeable);
      return 0;
    case GetLock: return write_user(call.user(2), unlocked) ? 0 : fail(Errno::Fault);
    case SetLock:
    case SetLockWait: return 0;  // nobody else is there to lock out
    default: return fail(Errno::Invalid);
  }
}

}  // namespace personality
