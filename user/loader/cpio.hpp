// Checks that a cpio archive (newc: "070701" or "070702", ASCII header fields) is whole: every
// header, name and content inside the bytes given, up to the trailer. The kernel only maps the
// archive; the personality reads it and may rely on this check. Format: cpio(5), "New ASCII".
#pragma once

#include <cstddef>
#include <span>

#include "kernel/base/result.hpp"
#include "user/loader/error.hpp"

namespace reprise {

struct ArchiveInfo {
  std::size_t entries = 0;  // the trailer not counted
  std::size_t bytes = 0;    // up to and with the trailer; padding may follow in the module
};

// Errors: EmptyModule, BadArchive.
[[nodiscard]] Result<ArchiveInfo, Error> check_archive(std::span<const std::byte> archive);

}  // namespace reprise
