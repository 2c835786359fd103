// See cpio.hpp. Offsets only grow, and by at least one header an entry: the walk ends.
#include "user/loader/cpio.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "user/loader/bytes.hpp"

namespace reprise {
namespace {

// Fields of eight hexadecimal digits behind the six of the magic number.
constexpr std::size_t magic_bytes = 6;
constexpr std::size_t digits = 8;
constexpr std::size_t fields = 13;
constexpr std::size_t header_bytes = magic_bytes + fields * digits;
constexpr std::size_t file_size_field = 6;
constexpr std::size_t name_size_field = 11;
constexpr std::string_view trailer = "TRAILER!!!";

std::optional<std::uint32_t> hexadecimal(Bytes text) {
  std::uint32_t value = 0;
  for (const std::byte b : text) {
    const auto c = static_cast<unsigned>(b);
    const unsigned lower = c | 0x20;
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (lower >= 'a' && lower <= 'f')
      digit = lower - 'a' + 10;
    else
      return std::nullopt;
    value = value << 4 | digit;
  }
  return value;
}

bool has_magic(Bytes header) {
  static constexpr std::string_view common = "07070";
  for (std::size_t i = 0; i < common.size(); ++i)
    if (header[i] != static_cast<std::byte>(common[i])) return false;
  const std::byte last = header[common.size()];
  return last == std::byte{'1'} || last == std::byte{'2'};  // without and with a checksum
}

// All 13 fields are digits; yields the two that say where the next header lies.
struct Sizes {
  std::uint32_t name;
  std::uint32_t file;
};
std::optional<Sizes> read_header(Bytes header) {
  if (!has_magic(header)) return std::nullopt;
  std::array<std::uint32_t, fields> values{};
  for (std::size_t i = 0; i < fields; ++i) {
    const auto value = hexadecimal(header.subspan(magic_bytes + i * digits, digits));
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  return Sizes{values[name_size_field], values[file_size_field]};
}

// A name ends with its only NUL, so that a reader that stops at the first one sees all of it.
std::optional<std::string_view> name_in(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if ((bytes[i] == std::byte{0}) != (i + 1 == bytes.size())) return std::nullopt;
  return std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size() - 1};
}

std::uint64_t padded(std::uint64_t offset) { return (offset + 3) & ~std::uint64_t{3}; }

}  // namespace

Result<ArchiveInfo, Error> check_archive(std::span<const std::byte> archive) {
  if (archive.empty()) return Failure{Error::EmptyModule};
  ArchiveInfo info;
  std::uint64_t at = 0;
  for (;;) {
    const auto header = slice(archive, at, header_bytes);
    if (!header) return Failure{Error::BadArchive};
    const auto sizes = read_header(*header);
    if (!sizes) return Failure{Error::BadArchive};
    const auto name_bytes = slice(archive, at + header_bytes, sizes->name);
    if (!name_bytes) return Failure{Error::BadArchive};
    const auto name = name_in(*name_bytes);
    if (!name || name->empty()) return Failure{Error::BadArchive};

    const std::uint64_t content = padded(at + header_bytes + sizes->name);
    if (*name == trailer) {
      if (sizes->file != 0) return Failure{Error::BadArchive};
      info.bytes = at + header_bytes + sizes->name;
      return info;
    }
    ++info.entries;
    at = padded(content + sizes->file);  // when it reaches beyond the end, so does the next header
  }
}

}  // namespace reprise
