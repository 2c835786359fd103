#include "user/linux/archive.hpp"

namespace personality {

namespace {

constexpr std::size_t header_bytes = 110, magic_bytes = 6, fields = 13;
enum Field {
  Inode,
  Mode,
  User,
  Group,
  Links,
  Modified,
  Bytes,
  Major,
  Minor,
  SpecialMajor,
  SpecialMinor,
  NameBytes,
  Check
};

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

bool parse_hex(std::string_view text, std::uint32_t& value) {
  value = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return false;
    }
    value = value << 4 | digit;
  }
  return true;
}

}  // namespace

ArchiveStatus ArchiveReader::broken(std::string_view problem) {
  problem_ = problem;
  next_ = archive_.size() + 1;
  return ArchiveStatus::Broken;
}

ArchiveStatus ArchiveReader::next(ArchiveEntry& entry) {
  if (!problem_.empty()) return ArchiveStatus::Broken;
  offset_ = next_;
  const std::size_t left = archive_.size() - next_;
  if (left == 0) return ArchiveStatus::End;
  if (left < header_bytes) return broken("ends within a header");
  const std::string_view header(reinterpret_cast<const char*>(archive_.data()) + offset_, left);
  const std::string_view magic = header.substr(0, magic_bytes);
  if (magic != "070701" && magic != "070702") return broken("has no newc header here");
  std::uint32_t field[fields];
  for (std::size_t i = 0; i < fields; ++i) {
    if (!parse_hex(header.substr(magic_bytes + 8 * i, 8), field[i])) {
      return broken("has a header field that is no number");
    }
  }
  // Lengths are 32 bits wide and sizes 64: these sums cannot wrap.
  const std::size_t data_start = padded(header_bytes + field[NameBytes]);
  const std::size_t data_end = data_start + field[Bytes];
  if (field[NameBytes] < 2 || header_bytes + field[NameBytes] > left) {
    return broken("has a name without end");
  }
  const std::string_view name = header.substr(header_bytes, field[NameBytes] - 1);
  if (header[header_bytes + name.size()] != '\0' || name.find('\0') != name.npos) {
    return broken("has a name that is not a string");
  }
  if (name == "TRAILER!!!") return ArchiveStatus::End;
  if (data_end > left) return broken("ends within a file");
  entry = {field[Inode],        field[Mode],  field[User],
           field[Group],        field[Links], field[Modified],
           field[Major],        field[Minor], field[SpecialMajor],
           field[SpecialMinor], name,         archive_.subspan(offset_ + data_start, field[Bytes])};
  // The last entry may lack its padding.
  next_ += padded(data_end) < left ? padded(data_end) : left;
  return ArchiveStatus::Entry;
}

}  // namespace personality
