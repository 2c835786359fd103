// Reads a cpio archive of the "newc" kind (cpio(5), "New ASCII"; magic 070701, or 070702 with
// checksums, which are not verified). An entry is a header of 110 ASCII characters, the name and
// the data; name and data are padded to 4 bytes. The archive comes from outside, so every length is
// checked against the bytes that are there. The loader checks an archive whole before a program
// starts; the Linux personality then builds its file tree from it (user/linux/tree_build.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/base/result.hpp"
#include "user/loader/error.hpp"

namespace reprise {

struct ArchiveEntry {
  std::uint32_t inode;
  std::uint32_t mode;
  std::uint32_t user;
  std::uint32_t group;
  std::uint32_t links;
  std::uint32_t modified;      // seconds since 1970
  std::uint32_t device_major;  // where the file lay
  std::uint32_t device_minor;
  std::uint32_t special_major;  // of a device file
  std::uint32_t special_minor;
  std::string_view name;            // without its NUL, never empty
  std::span<const std::byte> data;  // the content; of a symbolic link its target
};

enum class ArchiveStatus : std::uint8_t { Entry, End, Broken };

// Has no memory of its own: names and data are views of the archive.
class ArchiveReader {
public:
  explicit ArchiveReader(std::span<const std::byte> archive) : archive_{archive} {}

  // Entry: the next one is in `entry`. End: the trailer is reached. Broken: problem() says why, and
  // every later call answers the same.
  [[nodiscard]] ArchiveStatus next(ArchiveEntry& entry);

  [[nodiscard]] std::size_t offset() const { return offset_; }  // of the header read last
  [[nodiscard]] std::size_t end() const { return next_; }       // behind the trailer, after End
  [[nodiscard]] std::string_view problem() const { return problem_; }

private:
  ArchiveStatus broken(std::string_view problem);

  std::span<const std::byte> archive_;
  std::size_t offset_ = 0;
  std::size_t next_ = 0;  // where the next header begins
  bool ended_ = false;
  std::string_view problem_;
};

struct ArchiveInfo {
  std::size_t entries = 0;  // the trailer not counted
  std::size_t bytes = 0;    // up to and with the trailer; padding may follow in the module
};

// Checks that the archive is whole, up to its trailer. Errors: EmptyModule, BadArchive.
[[nodiscard]] Result<ArchiveInfo, Error> check_archive(std::span<const std::byte> archive);

}  // namespace reprise
