// chmod, chown, utimensat, umask. The user is root. Owners are recorded and have no other effect.
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

constexpr std::uint64_t no_follow = 0x100, empty_path = 0x1000;

Value node_of(int number, Node*& node) {
  const OpenFile* file = descriptor(number);
  if (file == nullptr) return fail(Errno::BadFile);
  node = file->node;  // nullptr for the terminal and pipes: nothing to change
  return 0;
}

Value node_at(int base, UserAddress path, std::uint64_t flags, Node*& node) {
  if ((flags & empty_path) != 0) {
    char first = 0;
    if (!read_user(path, first)) return fail(Errno::Fault);
    if (first == '\0') return node_of(base, node);
  }
  return find_user(base, path, (flags & no_follow) != 0 ? LastLink::Keep : LastLink::Follow, node);
}

Value change_mode(Value found, Node* node, std::uint64_t mode) {
  if (found < 0) return found;
  if (node != nullptr) node->mode = static_cast<std::uint32_t>(mode & 07777);
  return 0;
}

Value change_owner(Value found, Node* node, std::uint64_t user, std::uint64_t group) {
  constexpr auto unchanged = static_cast<std::uint32_t>(-1);
  if (found < 0) return found;
  if (node == nullptr) return 0;
  if (static_cast<std::uint32_t>(user) != unchanged) node->user = static_cast<std::uint32_t>(user);
  if (static_cast<std::uint32_t>(group) != unchanged) {
    node->group = static_cast<std::uint32_t>(group);
  }
  return 0;
}

// Sets `meant` to the time that one of utimensat's two entries asks for. `old` is the present one.
Value time_meant(const TimeSpec& time, std::uint64_t old, std::uint64_t& meant) {
  constexpr std::int64_t now = 0x3fffffff, omit = 0x3ffffffe;
  if (time.nanoseconds == omit) {
    meant = old;
  } else if (time.nanoseconds == now) {
    meant = wall_nanoseconds();
  } else if (!is_valid(time)) {
    return fail(Errno::Invalid);
  } else {
    meant = to_nanoseconds(time);
  }
  return 0;
}

}  // namespace

Value call_chmod(Call& call) {
  Node* node = nullptr;
  const Value found = node_at(at_working_directory, call.user(0), 0, node);
  return change_mode(found, node, call.argument[1]);
}
Value call_fchmod(Call& call) {
  Node* node = nullptr;
  const Value found = node_of(call.integer(0), node);
  return change_mode(found, node, call.argument[1]);
}
Value call_fchmodat(Call& call) {
  Node* node = nullptr;
  const Value found = node_at(call.integer(0), call.user(1), 0, node);
  return change_mode(found, node, call.argument[2]);
}

Value call_chown(Call& call) {
  Node* node = nullptr;
  const Value found = node_at(at_working_directory, call.user(0), 0, node);
  return change_owner(found, node, call.argument[1], call.argument[2]);
}
Value call_lchown(Call& call) {
  Node* node = nullptr;
  const Value found = node_at(at_working_directory, call.user(0), no_follow, node);
  return change_owner(found, node, call.argument[1], call.argument[2]);
}
Value call_fchown(Call& call) {
  Node* node = nullptr;
  const Value found = node_of(call.integer(0), node);
  return change_owner(found, node, call.argument[1], call.argument[2]);
}
Value call_fchownat(Call& call) {
  Node* node = nullptr;
  const Value found = node_at(call.integer(0), call.user(1), call.argument[4], node);
  return change_owner(found, node, call.argument[2], call.argument[3]);
}

Value call_utimensat(Call& call) {
  constexpr std::int64_t now = 0x3fffffff;
  TimeSpec times[2] = {{0, now}, {0, now}};
  if (!call.user(2).is_null() && !read_user(call.user(2), times)) return fail(Errno::Fault);
  Node* node = nullptr;
  const Value found = call.user(1).is_null()
                          ? node_of(call.integer(0), node)
                          : node_at(call.integer(0), call.user(1), call.argument[3], node);
  if (found < 0 || node == nullptr) return found;
  std::uint64_t accessed = 0, modified = 0;
  Value result = time_meant(times[0], node->accessed, accessed);
  if (result == 0) result = time_meant(times[1], node->modified, modified);
  if (result < 0) return result;
  node->accessed = accessed;
  node->modified = modified;
  node->touched = false;
  return 0;
}

Value call_umask(Call& call) {
  const std::uint32_t old = process().file_mode_mask;
  process().file_mode_mask = static_cast<std::uint32_t>(call.argument[0] & 0777);
  return old;
}

// Extended attributes: the file system has none. libc and ls -l understand this error.
Value call_no_attribute(Call&) { return fail(Errno::NotSupported); }

}  // namespace personality
