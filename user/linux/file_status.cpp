// stat and its variants, access, readlink, statfs.
#include "user/linux/file_status.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

constexpr std::uint32_t type_file = 0100000, type_directory = 0040000, type_link = 0120000,
                        type_character = 0020000, type_pipe = 0010000;
constexpr std::uint64_t no_follow = 0x100, empty_path = 0x1000;  // AT_*
constexpr std::uint64_t device_number = 1, sector_bytes = 512;

struct Stat {  // struct stat of x86-64
  std::uint64_t device, number, links;
  std::uint32_t mode, user, group, padding;
  std::uint64_t special;
  std::int64_t size, block_bytes, blocks;
  TimeSpec accessed, modified, changed;
  std::int64_t reserved[3];
};
static_assert(sizeof(Stat) == 144);

struct StatxTime {
  std::int64_t seconds;
  std::uint32_t nanoseconds;
  std::int32_t padding;
};

struct Statx {
  std::uint32_t mask, block_bytes;
  std::uint64_t attributes;
  std::uint32_t links, user, group;
  std::uint16_t mode, padding;
  std::uint64_t number, size, blocks, attributes_mask;
  StatxTime accessed, created, changed, modified;
  std::uint32_t special_major, special_minor, device_major, device_minor;
  std::uint64_t reserved[14];
};
static_assert(sizeof(Statx) == 256);

struct FileSystem {  // struct statfs
  std::int64_t type, block_bytes;
  std::uint64_t blocks, free_blocks, available_blocks, files, free_files, id;
  std::int64_t longest_name, fragment_bytes, flags, spare[4];
};
static_assert(sizeof(FileSystem) == 120);

Stat to_stat(const FileStatus& status) {
  const TimeSpec modified = to_timespec(status.modified);
  return {device_number,
          status.number,
          status.links,
          status.mode,
          status.user,
          status.group,
          0,
          std::uint64_t{status.special_major} << 8 | status.special_minor,
          static_cast<std::int64_t>(status.size),
          static_cast<std::int64_t>(page_bytes),
          static_cast<std::int64_t>(status.blocks),
          to_timespec(status.accessed),
          modified,
          modified,
          {}};
}

StatxTime to_statx_time(std::uint64_t nanoseconds) {
  const TimeSpec time = to_timespec(nanoseconds);
  return {time.seconds, static_cast<std::uint32_t>(time.nanoseconds), 0};
}

Statx to_statx(const FileStatus& status) {
  constexpr std::uint32_t basic = 0x7ff;
  Statx result{};
  result.mask = basic;
  result.block_bytes = static_cast<std::uint32_t>(page_bytes);
  result.links = static_cast<std::uint32_t>(status.links);
  result.user = status.user;
  result.group = status.group;
  result.mode = static_cast<std::uint16_t>(status.mode);
  result.number = status.number;
  result.size = status.size;
  result.blocks = status.blocks;
  result.accessed = to_statx_time(status.accessed);
  result.changed = result.modified = to_statx_time(status.modified);
  result.special_major = status.special_major;
  result.special_minor = status.special_minor;
  result.device_minor = device_number;
  return result;
}

FileStatus terminal_status() {
  FileStatus status{};
  status.number = 1;
  status.links = 1;
  status.mode = process().terminal ? type_character | 0620 : type_pipe | 0600;
  if (process().terminal) status.special_major = 5, status.special_minor = 1;
  return status;
}

// The status of the file that fstatat and statx name by descriptor, path and flags.
Value find_status(int base, UserAddress path, std::uint64_t flags, FileStatus& status) {
  const LastLink last = (flags & no_follow) != 0 ? LastLink::Keep : LastLink::Follow;
  if ((flags & empty_path) != 0) {
    char first = 0;
    if (!path.is_null() && !read_user(path, first)) return fail(Errno::Fault);
    if (first == '\0') {
      if (base == at_working_directory) {
        status = status_of(working_directory());
        return 0;
      }
      const OpenFile* file = descriptor(base);
      if (file == nullptr) return fail(Errno::BadFile);
      status = status_of(*file);
      return 0;
    }
  }
  Node* node = nullptr;
  if (const Value result = find_user(base, path, last, node); result < 0) return result;
  status = status_of(*node);
  return 0;
}

Value stat_at(int base, UserAddress path, std::uint64_t flags, UserAddress to) {
  FileStatus status{};
  if (const Value result = find_status(base, path, flags, status); result < 0) return result;
  return write_user(to, to_stat(status)) ? 0 : fail(Errno::Fault);
}

Value access_at(int base, UserAddress path, std::uint64_t mode, std::uint64_t flags) {
  constexpr std::uint64_t execute = 1;
  if ((mode & ~std::uint64_t{7}) != 0) return fail(Errno::Invalid);
  FileStatus status{};
  if (const Value result = find_status(base, path, flags, status); result < 0) return result;
  // The user is root, who may read and write everything. Execution needs one x bit.
  const bool executable = (status.mode & 0111) != 0 || (status.mode & 0170000) == type_directory;
  return (mode & execute) != 0 && !executable ? fail(Errno::Access) : 0;
}

Value read_link(int base, UserAddress path, UserAddress to, std::int64_t bytes) {
  if (bytes <= 0) return fail(Errno::Invalid);
  PathText text;
  Found found;
  if (const Value result = text.load(path); result < 0) return result;
  std::string_view target;
  if (std::string_view(text.text, text.length) == "/proc/self/exe") {
    target = process().executable;  // every libc asks at its start; this needs no tree
  } else {
    const Value result = resolve_user(base, path, LastLink::Keep, text, found);
    if (result < 0) return result;
    if (found.node == nullptr) return fail(Errno::NoEntry);
    if (found.node->type != NodeType::Link) return fail(Errno::Invalid);
    target = found.node->target;
  }
  if (target.size() > static_cast<std::uint64_t>(bytes)) {
    target = target.substr(0, static_cast<std::size_t>(bytes));
  }
  if (!copy_out(to, target.data(), target.size())) return fail(Errno::Fault);
  return static_cast<Value>(target.size());
}

Value write_file_system(UserAddress to) {
  constexpr std::int64_t tmpfs = 0x01021994;
  FileSystem system{};
  system.type = tmpfs;
  system.blocks = native::usage(REPRISE_USAGE_MEMORY) / page_bytes;
  system.free_blocks = (native::usage(REPRISE_USAGE_AVAILABLE) + heap().spare()) / page_bytes;
  system.available_blocks = system.free_blocks;
  system.files = system.blocks;  // each takes a page at least
  system.free_files = system.free_blocks;
  system.block_bytes = system.fragment_bytes = static_cast<std::int64_t>(page_bytes);
  system.longest_name = longest_name;
  return write_user(to, system) ? 0 : fail(Errno::Fault);
}

}  // namespace

FileStatus status_of(Node& node) {
  if (node.touched) {
    node.modified = wall_nanoseconds();
    node.touched = false;
  }
  FileStatus status{};
  status.number = node.number;
  status.links = node.links;
  status.modified = node.modified;
  status.accessed = node.accessed != 0 ? node.accessed : node.modified;
  status.user = node.user;
  status.group = node.group;
  status.mode = node.mode;
  switch (node.type) {
    case NodeType::File:
      status.mode |= type_file;
      if (node.generated != Generated::None) break;  // its size is said to be 0
      status.size = node.content.size();
      status.blocks = node.content.data_pages() * (page_bytes / sector_bytes);
      break;
    case NodeType::Directory:
      status.mode |= type_directory;
      status.size = page_bytes;
      status.blocks = page_bytes / sector_bytes;
      break;
    case NodeType::Link:
      status.mode |= type_link | 0777;
      status.size = node.target.size();
      break;
    case NodeType::Device:
      status.mode |= type_character;
      status.special_major = node.special_major;
      status.special_minor = node.special_minor;
      break;
  }
  return status;
}

FileStatus status_of(const OpenFile& file) {
  if (file.node != nullptr) return status_of(*file.node);
  FileStatus status = terminal_status();
  if (file.pipe != nullptr) status.mode = type_pipe | 0600;
  return status;
}

Value call_stat(Call& call) { return stat_at(at_working_directory, call.user(0), 0, call.user(1)); }
Value call_lstat(Call& call) {
  return stat_at(at_working_directory, call.user(0), no_follow, call.user(1));
}
Value call_fstat(Call& call) {
  return stat_at(call.integer(0), UserAddress(0), empty_path, call.user(1));
}
Value call_newfstatat(Call& call) {
  return stat_at(call.integer(0), call.user(1), call.argument[3], call.user(2));
}
Value call_statx(Call& call) {
  FileStatus status{};
  const Value result = find_status(call.integer(0), call.user(1), call.argument[2], status);
  if (result < 0) return result;
  return write_user(call.user(4), to_statx(status)) ? 0 : fail(Errno::Fault);
}

Value call_access(Call& call) {
  return access_at(at_working_directory, call.user(0), call.argument[1], 0);
}
Value call_faccessat(Call& call) {
  return access_at(call.integer(0), call.user(1), call.argument[2], 0);
}
Value call_faccessat2(Call& call) {
  return access_at(call.integer(0), call.user(1), call.argument[2], call.argument[3]);
}

Value call_readlink(Call& call) {
  return read_link(at_working_directory, call.user(0), call.user(1), call.integer(2));
}
Value call_readlinkat(Call& call) {
  return read_link(call.integer(0), call.user(1), call.user(2), call.integer(3));
}

Value call_statfs(Call& call) {
  Node* node = nullptr;
  const Value result = find_user(at_working_directory, call.user(0), LastLink::Follow, node);
  return result < 0 ? result : write_file_system(call.user(1));
}
Value call_fstatfs(Call& call) {
  if (descriptor(call.integer(0)) == nullptr) return fail(Errno::BadFile);
  return write_file_system(call.user(1));
}

}  // namespace personality
