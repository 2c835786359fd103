// Moves bytes from and to open files: read, write and their variants, lseek, sizes.
#include "user/linux/calls.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/file_mappings.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/limits.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/pipe.hpp"
#include "user/linux/random.hpp"
#include "user/linux/streams.hpp"

namespace personality {

namespace {

constexpr std::int64_t here = -1;  // the transfer starts at the file's own offset and moves it
constexpr std::uint64_t transfer_limit = 0x7ffff000;

struct Vector {
  std::uint64_t base, bytes;
};
constexpr std::uint64_t vector_limit = 1024;

bool seekable(const OpenFile& file) {
  return file.kind != OpenKind::Input && file.kind != OpenKind::Output && file.pipe == nullptr;
}

Value read_file(OpenFile& file, UserAddress to, std::uint64_t bytes, std::int64_t at) {
  const std::uint64_t offset = at == here ? file.offset : static_cast<std::uint64_t>(at);
  const Value result = file.node->content.read(offset, to, bytes);
  if (at == here && result > 0) file.offset += static_cast<std::uint64_t>(result);
  return result;
}

// ENOSPC and EFBIG come only when not a byte was written.
Value write_file(OpenFile& file, UserAddress from, std::uint64_t bytes, std::int64_t at) {
  std::uint64_t offset = at == here ? file.offset : static_cast<std::uint64_t>(at);
  if ((file.flags & open_flags::append) != 0) offset = file.node->content.size();
  if (const Value result = limit_file_size(offset, bytes); result < 0) return result;
  const Value result = write_node(*file.node, offset, from, bytes);
  if (at == here && result > 0) file.offset = offset + static_cast<std::uint64_t>(result);
  return result;
}

Value read_some(OpenFile& file, UserAddress to, std::uint64_t bytes, std::int64_t at) {
  if (bytes > transfer_limit) bytes = transfer_limit;
  const auto length = static_cast<Value>(bytes);
  switch (file.kind) {
    case OpenKind::File: return read_file(file, to, bytes, at);
    case OpenKind::Directory: return fail(Errno::IsDirectory);
    case OpenKind::Input: return read_stream(file, to, bytes);
    case OpenKind::Null: return 0;
    case OpenKind::Zero:
    case OpenKind::Full: return clear_user(to, bytes) ? length : fail(Errno::Fault);
    case OpenKind::Random: return fill_random(to, bytes) ? length : fail(Errno::Fault);
    case OpenKind::PipeReader: return read_pipe(*file.pipe, to, bytes);
    case OpenKind::Path:
    case OpenKind::Output:
    case OpenKind::PipeWriter: break;
  }
  return fail(Errno::BadFile);
}

Value write_some(OpenFile& file, UserAddress from, std::uint64_t bytes, std::int64_t at) {
  if (bytes > transfer_limit) bytes = transfer_limit;
  switch (file.kind) {
    case OpenKind::File: return write_file(file, from, bytes, at);
    case OpenKind::Output: return write_stream(file, from, bytes);
    case OpenKind::Null:
    case OpenKind::Zero:
    case OpenKind::Random: return static_cast<Value>(bytes);
    case OpenKind::Full: return fail(Errno::NoSpace);
    case OpenKind::PipeWriter: return write_pipe(*file.pipe, from, bytes);
    case OpenKind::Directory:
    case OpenKind::Path:
    case OpenKind::Input:
    case OpenKind::PipeReader: break;
  }
  return fail(Errno::BadFile);
}

enum class Direction { Read, Write };

// The open file behind a descriptor that allows this use; else nullptr, and `error` says why.
OpenFile* usable(int number, Direction direction, std::int64_t at, Value& error) {
  OpenFile* file = descriptor(number);
  error = fail(Errno::BadFile);
  if (file == nullptr) return nullptr;
  if (direction == Direction::Read ? !file->may_read() : !file->may_write()) return nullptr;
  if (at == here) return file;
  error = fail(seekable(*file) ? Errno::Invalid : Errno::IllegalSeek);
  return at < 0 || !seekable(*file) ? nullptr : file;
}

Value transfer(const Call& call, Direction direction, std::int64_t at) {
  Value error = 0;
  OpenFile* file = usable(call.integer(0), direction, at, error);
  if (file == nullptr) return error;
  return direction == Direction::Read ? read_some(*file, call.user(1), call.argument[2], at)
                                      : write_some(*file, call.user(1), call.argument[2], at);
}

// Joins the parts of a short writev, such as printf makes, so one native call sends all.
Value write_short_parts(const OpenFile& file, const Vector* parts, std::uint64_t count) {
  char text[1024];
  std::uint64_t length = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (parts[i].bytes > sizeof text - length) return 0;
    if (!copy_in(text + length, UserAddress(parts[i].base), parts[i].bytes)) return 0;
    length += parts[i].bytes;
  }
  return write_stream(file, UserAddress(reinterpret_cast<std::uint64_t>(text)), length);
}

Value transfer_parts(OpenFile& file, const Call& call, Direction direction, std::int64_t at) {
  Value total = 0;
  for (std::uint64_t i = 0; i < call.argument[2]; ++i) {
    Vector part{};
    if (!read_user(call.user(1) + i * sizeof part, part)) {
      return total > 0 ? total : fail(Errno::Fault);
    }
    if (part.bytes == 0) continue;
    const std::int64_t place = at == here ? here : at + total;
    const Value result = direction == Direction::Read
                             ? read_some(file, UserAddress(part.base), part.bytes, place)
                             : write_some(file, UserAddress(part.base), part.bytes, place);
    if (result < 0) return total > 0 ? total : result;
    total += result;
    if (static_cast<std::uint64_t>(result) < part.bytes) break;
  }
  return total;
}

Value transfer_vectors(const Call& call, Direction direction, std::int64_t at) {
  Value error = 0;
  OpenFile* file = usable(call.integer(0), direction, at, error);
  if (file == nullptr) return error;
  const std::uint64_t count = call.argument[2];
  if (count > vector_limit) return fail(Errno::Invalid);
  Vector few[4];
  const bool fits = count > 0 && count <= sizeof few / sizeof few[0];
  if (fits && file->kind == OpenKind::Output) {
    if (!copy_in(few, call.user(1), count * sizeof(Vector))) return fail(Errno::Fault);
    if (const Value result = write_short_parts(*file, few, count); result > 0) return result;
  }
  return transfer_parts(*file, call, direction, at);
}

Value change_size(Node& node, std::int64_t size) {
  if (size < 0) return fail(Errno::Invalid);
  if (node.is_directory()) return fail(Errno::IsDirectory);
  if (node.type != NodeType::File) return fail(Errno::Invalid);
  if (node.generated != Generated::None) return fail(Errno::Access);
  const auto bytes = static_cast<std::uint64_t>(size);
  if (bytes > node.content.size()) {
    std::uint64_t grown = bytes - node.content.size();
    const Value result = limit_file_size(node.content.size(), grown);
    if (result < 0 || grown != bytes - node.content.size()) return exceed_file_size();
  }
  return resize_node(node, bytes);
}

std::int64_t find_data_or_hole(const Content& content, std::int64_t offset, bool data) {
  const auto from = static_cast<std::uint64_t>(offset);
  return static_cast<std::int64_t>(data ? content.next_data(from) : content.next_hole(from));
}

std::int64_t offset_of(const Call& call) { return static_cast<std::int64_t>(call.argument[3]); }
// An explicit -1 is an error in pread and pwrite, but means `here` in preadv2 and pwritev2.
std::int64_t strict_offset_of(const Call& call) {
  return offset_of(call) == here ? here - 1 : offset_of(call);
}

// Flags that files in memory keep anyway: RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT.
bool are_hints(std::uint64_t flags) { return (flags & 0xffffffff) < 16; }

}  // namespace

Value call_read(Call& call) { return transfer(call, Direction::Read, here); }
Value call_write(Call& call) { return transfer(call, Direction::Write, here); }
Value call_pread64(Call& call) { return transfer(call, Direction::Read, strict_offset_of(call)); }
Value call_pwrite64(Call& call) { return transfer(call, Direction::Write, strict_offset_of(call)); }
Value call_readv(Call& call) { return transfer_vectors(call, Direction::Read, here); }
Value call_writev(Call& call) { return transfer_vectors(call, Direction::Write, here); }
Value call_preadv(Call& call) {
  return transfer_vectors(call, Direction::Read, strict_offset_of(call));
}
Value call_pwritev(Call& call) {
  return transfer_vectors(call, Direction::Write, strict_offset_of(call));
}
Value call_preadv2(Call& call) {
  if (!are_hints(call.argument[5])) return fail(Errno::NotSupported);
  return transfer_vectors(call, Direction::Read, offset_of(call));
}
Value call_pwritev2(Call& call) {
  if (!are_hints(call.argument[5])) return fail(Errno::NotSupported);
  return transfer_vectors(call, Direction::Write, offset_of(call));
}

Value call_lseek(Call& call) {
  enum { Set, Current, End, Data, Hole };
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr || file->kind == OpenKind::Path) return fail(Errno::BadFile);
  if (!seekable(*file)) return fail(Errno::IllegalSeek);
  const bool is_file = file->kind == OpenKind::File;
  const auto size = static_cast<std::int64_t>(is_file ? file->node->content.size() : 0);
  auto offset = static_cast<std::int64_t>(call.argument[1]);
  constexpr std::int64_t far = 1ll << 60;
  if (offset > far || offset < -far) return fail(Errno::Invalid);
  switch (call.integer(2)) {
    case Set: break;
    case Current: offset += static_cast<std::int64_t>(file->offset); break;
    case End: offset += size; break;
    case Data:
    case Hole:
      if (!is_file) return fail(Errno::Invalid);
      if (offset < 0 || offset >= size) return fail(Errno::NoAddress);
      offset = find_data_or_hole(file->node->content, offset, call.integer(2) == Data);
      if (call.integer(2) == Data && offset == size) return fail(Errno::NoAddress);
      break;
    default: return fail(Errno::Invalid);
  }
  if (offset < 0 || offset > far) return fail(Errno::Invalid);
  file->offset = static_cast<std::uint64_t>(offset);
  return offset;
}

Value call_ftruncate(Call& call) {
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr) return fail(Errno::BadFile);
  if (file->kind != OpenKind::File || !file->may_write()) return fail(Errno::Invalid);
  return change_size(*file->node, static_cast<std::int64_t>(call.argument[1]));
}

Value call_truncate(Call& call) {
  Node* node = nullptr;
  const Value result = find_user(at_working_directory, call.user(0), LastLink::Follow, node);
  if (result < 0) return result;
  return change_size(*node, static_cast<std::int64_t>(call.argument[1]));
}

Value call_fallocate(Call& call) {
  constexpr std::uint64_t keep_size = 1;
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr || !file->may_write()) return fail(Errno::BadFile);
  if (file->kind != OpenKind::File) return fail(file->pipe ? Errno::IllegalSeek : Errno::NoDevice);
  if ((call.argument[1] & ~keep_size) != 0) return fail(Errno::NotSupported);
  const auto start = static_cast<std::int64_t>(call.argument[2]);
  const auto bytes = static_cast<std::int64_t>(call.argument[3]);
  if (start < 0 || bytes <= 0) return fail(Errno::Invalid);
  // Asked before any of it is taken: a part would be in the way of others.
  if (call.argument[3] > native::usage(REPRISE_USAGE_AVAILABLE) + heap().spare()) {
    return fail(Errno::NoSpace);
  }
  Content& content = file->node->content;
  const Value result = content.allocate(call.argument[2], call.argument[3]);
  const std::uint64_t end = call.argument[2] + call.argument[3];
  if (result < 0 || call.argument[1] == keep_size || end <= content.size()) return result;
  return change_size(*file->node, static_cast<std::int64_t>(end));
}

Value call_fsync(Call& call) {
  return descriptor(call.integer(0)) == nullptr ? fail(Errno::BadFile) : 0;
}
Value call_sync(Call&) { return 0; }

}  // namespace personality
