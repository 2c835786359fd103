// Reads directories, and keeps the working directory.
#include "user/linux/calls.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

struct DirectoryEntry {  // struct linux_dirent64; the name follows, at byte 19
  std::uint64_t number, next;
  std::uint16_t bytes;
  std::uint8_t type;
};
constexpr std::uint64_t name_offset = 19;

std::uint8_t type_of(const Node& node) {
  switch (node.type) {
    case NodeType::File: return 8;
    case NodeType::Directory: return 4;
    case NodeType::Link: return 10;
    case NodeType::Device: return 2;
  }
  return 0;
}

// Fills the program's buffer entry by entry. The open file's offset is the last entry's cookie.
class Listing {
public:
  Listing(UserAddress to, std::uint64_t room) : to_(to), room_(room) {}

  // False: the list ends here, because room is short or the address is bad.
  bool add(const Node& node, std::string_view name, std::uint64_t cookie) {
    char record[name_offset + longest_name + 1 + 8] = {};
    const std::uint64_t bytes = (name_offset + name.size() + 1 + 7) & ~std::uint64_t{7};
    if (bytes > room_ - used_) return false;
    const DirectoryEntry head{.number = node.number,
                              .next = cookie,
                              .bytes = static_cast<std::uint16_t>(bytes),
                              .type = type_of(node)};
    memcpy(record, &head, name_offset);
    memcpy(record + name_offset, name.data(), name.size());
    if (!copy_out(to_ + used_, record, bytes)) {
      bad_address_ = true;
      return false;
    }
    used_ += bytes;
    return true;
  }

  [[nodiscard]] Value result(bool more) const {
    if (bad_address_) return fail(Errno::Fault);
    return used_ == 0 && more ? fail(Errno::Invalid) : static_cast<Value>(used_);
  }

private:
  UserAddress to_;
  std::uint64_t room_, used_ = 0;
  bool bad_address_ = false;
};

// True: everything that was left fitted.
bool list(Listing& listing, OpenFile& file) {
  Node& directory = *file.node;
  if (file.offset < 1) {
    if (!listing.add(directory, ".", 1)) return false;
    file.offset = 1;
  }
  if (file.offset < 2) {
    if (!listing.add(*tree().parent_of(directory), "..", 2)) return false;
    file.offset = 2;
  }
  for (const Entry* entry = directory.first; entry != nullptr; entry = entry->next) {
    if (entry->cookie <= file.offset) continue;
    if (!listing.add(*entry->node, entry->name, entry->cookie)) return false;
    file.offset = entry->cookie;
  }
  return true;
}

Value change_directory(Node* node) {
  if (!node->is_directory()) return fail(Errno::NotDirectory);
  set_working_directory(*node);
  return 0;
}

}  // namespace

Value call_getdents64(Call& call) {
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr) return fail(Errno::BadFile);
  if (file->kind != OpenKind::Directory) return fail(Errno::NotDirectory);
  Listing listing(call.user(1), call.argument[2] & 0x7fffffff);
  const bool complete = list(listing, *file);
  return listing.result(!complete);
}

// Builds the path from its end: each step towards the root puts one name in front.
Value call_getcwd(Call& call) {
  char text[longest_path];
  std::size_t first = sizeof text - 1;
  text[first] = '\0';
  const Node* node = &working_directory();
  if (node->self == nullptr && node != &tree().root()) return fail(Errno::NoEntry);
  for (; node->self != nullptr; node = node->self->parent) {
    const std::string_view name = node->self->name;
    if (name.size() + 1 > first) return fail(Errno::NameTooLong);
    first -= name.size();
    memcpy(text + first, name.data(), name.size());
    --first;
    text[first] = '/';
  }
  const bool is_root = text[first] == '\0';
  if (is_root) {
    --first;
    text[first] = '/';
  }
  const std::size_t bytes = sizeof text - first;
  if (bytes > call.argument[1]) return fail(Errno::Range);
  return copy_out(call.user(0), text + first, bytes) ? static_cast<Value>(bytes)
                                                     : fail(Errno::Fault);
}

Value call_chdir(Call& call) {
  Node* node = nullptr;
  const Value result = find_user(at_working_directory, call.user(0), LastLink::Follow, node);
  return result < 0 ? result : change_directory(node);
}

Value call_fchdir(Call& call) {
  const OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr) return fail(Errno::BadFile);
  return file->node == nullptr ? fail(Errno::NotDirectory) : change_directory(file->node);
}

}  // namespace personality
