// See files.hpp.
#include "user/monitor/files.hpp"

#include "user/loader/cpio.hpp"

namespace monitor {
namespace {

constexpr std::uint32_t kind_bits = 0170000, regular_file = 0100000;

std::string_view plain(std::string_view name) {
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name.starts_with("/")) name.remove_prefix(1);
  return name;
}

}  // namespace

std::optional<std::span<const std::byte>> find_file(std::span<const std::byte> archive,
                                                    std::string_view name) {
  reprise::ArchiveReader reader{archive};
  reprise::ArchiveEntry entry{};
  while (reader.next(entry) == reprise::ArchiveStatus::Entry) {
    const bool is_file = (entry.mode & kind_bits) == regular_file;
    if (is_file && plain(entry.name) == plain(name)) return entry.data;
  }
  return std::nullopt;
}

}  // namespace monitor
