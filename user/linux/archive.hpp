// Reads a cpio archive of the "newc" kind (magic 070701, or 070702 with checksums, which are not
// verified): a header of 110 ASCII characters, the name, the data, each padded to 4 bytes. The
// archive is given from outside: every length is checked against what is there. Pure: no memory of
// its own, no native calls; entries point into the archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace personality {

struct ArchiveEntry {
  std::uint32_t inode, mode, user, group, links, modified;
  std::uint32_t device_major, device_minor;    // where the file lay
  std::uint32_t special_major, special_minor;  // of a device file
  std::string_view name;                       // without its NUL, never empty
  std::span<const std::byte> data;             // of a symbolic link: its target
};

enum class ArchiveStatus { Entry, End, Broken };

class ArchiveReader {
public:
  explicit ArchiveReader(std::span<const std::byte> archive) : archive_(archive) {}

  // The next entry; End behind TRAILER!!! or at the exact end of the archive; Broken for good.
  [[nodiscard]] ArchiveStatus next(ArchiveEntry& entry);

  [[nodiscard]] std::size_t offset() const { return offset_; }  // of the header read last
  [[nodiscard]] std::string_view problem() const { return problem_; }

private:
  ArchiveStatus broken(std::string_view problem);

  std::span<const std::byte> archive_;
  std::size_t offset_ = 0;
  std::size_t next_ = 0;
  std::string_view problem_;
};

}  // namespace personality
