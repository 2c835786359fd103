// See cpio.hpp. Offsets only grow, and by at least one header an entry: the walk ends.
#include "user/loader/cpio.hpp"

#include <array>
#include <optional>

#include "kernel/base/arithmetic.hpp"
#include "user/loader/bytes.hpp"

namespace reprise {
namespace {

// The header: the magic number, then one field of eight hexadecimal digits each.
enum Field : std::size_t {
  Inode,
  Mode,
  User,
  Group,
  Links,
  Modified,
  FileBytes,
  DeviceMajor,
  DeviceMinor,
  SpecialMajor,
  SpecialMinor,
  NameBytes,
  Checksum,
  count
};
constexpr std::size_t magic_bytes = 6;
constexpr std::size_t digits = 8;
constexpr std::size_t header_bytes = magic_bytes + Field::count * digits;
constexpr std::string_view trailer = "TRAILER!!!";

using Fields = std::array<std::uint32_t, Field::count>;

constexpr std::size_t padded(std::size_t offset) { return (offset + 3) & ~std::size_t{3}; }

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    if (is_between('0', c, '9')) {
      value = value << 4 | static_cast<std::uint32_t>(c - '0');
    } else if (is_between('a', lower, 'f')) {
      value = value << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

bool has_magic(Bytes header) {
  const std::string_view magic = text_of(header.first(magic_bytes));
  return magic == "070701" || magic == "070702";
}

std::optional<Fields> read_fields(Bytes header) {
  Fields fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = hexadecimal(text_of(header.subspan(magic_bytes + i * digits, digits)));
    if (!value) return std::nullopt;
    fields[i] = *value;
  }
  return fields;
}

// A name ends with its only NUL, so that a reader that stops at the first NUL sees all of it.
bool is_name(Bytes bytes) {
  const std::string_view text = text_of(bytes);
  return text.size() >= 2 && text.find('\0') == text.size() - 1;
}

}  // namespace

ArchiveStatus ArchiveReader::broken(std::string_view problem) {
  problem_ = problem;
  return ArchiveStatus::Broken;
}

// Sizes are 32 bits wide and offsets 64, so no sum below wraps.
ArchiveStatus ArchiveReader::next(ArchiveEntry& entry) {
  if (ended_) return ArchiveStatus::End;
  if (!problem_.empty()) return ArchiveStatus::Broken;
  offset_ = next_;
  const auto header = slice(archive_, offset_, header_bytes);
  if (!header) return broken("ends before its trailer");
  if (!has_magic(*header)) return broken("has no newc header here");
  const auto fields = read_fields(*header);
  if (!fields) return broken("has a header field that is no number");

  const Fields& field = *fields;
  const std::size_t name_start = offset_ + header_bytes;
  const std::size_t name_end = name_start + field[NameBytes];
  const auto name_field = slice(archive_, name_start, field[NameBytes]);
  if (!name_field) return broken("ends within a name");
  if (!is_name(*name_field)) return broken("has a name that is not a string");
  const std::string_view name = text_of(name_field->first(name_field->size() - 1));
  if (name == trailer) {
    if (field[FileBytes] != 0) return broken("has a trailer with content");
    next_ = name_end;
    ended_ = true;
    return ArchiveStatus::End;
  }

  const std::size_t data_start = padded(name_end);
  const auto data = slice(archive_, data_start, field[FileBytes]);
  if (!data) return broken("ends within a file");
  entry = {.inode = field[Inode],
           .mode = field[Mode],
           .user = field[User],
           .group = field[Group],
           .links = field[Links],
           .modified = field[Modified],
           .device_major = field[DeviceMajor],
           .device_minor = field[DeviceMinor],
           .special_major = field[SpecialMajor],
           .special_minor = field[SpecialMinor],
           .name = name,
           .data = *data};
  next_ = padded(data_start + field[FileBytes]);
  return ArchiveStatus::Entry;
}

Result<ArchiveInfo, Error> check_archive(std::span<const std::byte> archive) {
  if (archive.empty()) return Failure{Error::EmptyModule};
  ArchiveReader reader{archive};
  ArchiveEntry entry;
  ArchiveInfo info;
  ArchiveStatus status = reader.next(entry);
  while (status == ArchiveStatus::Entry) {
    ++info.entries;
    status = reader.next(entry);
  }
  if (status == ArchiveStatus::Broken) return Failure{Error::BadArchive};
  info.bytes = reader.end();
  return info;
}

}  // namespace reprise
