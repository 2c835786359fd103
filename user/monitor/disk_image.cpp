// See disk_image.hpp.
#include "user/monitor/disk_image.hpp"

#include <cstring>

namespace monitor {

std::uint64_t DiskImage::rest_of_block(std::uint64_t position) const {
  const std::uint64_t in_block = block_bytes - position % block_bytes;
  const std::uint64_t on_disk = bytes() - position;
  return in_block < on_disk ? in_block : on_disk;
}

std::span<const std::byte> DiskImage::at(std::uint64_t position) const {
  const std::uint64_t rest = rest_of_block(position);
  if (is_copied_[position / block_bytes] != 0) return copies_.subspan(position, rest);
  return file_.subspan(position, rest);
}

std::span<std::byte> DiskImage::writable_at(std::uint64_t position) {
  const std::uint64_t block = position / block_bytes;
  if (is_copied_[block] == 0) {
    const std::uint64_t start = block * block_bytes;
    std::memcpy(copies_.data() + start, file_.data() + start, rest_of_block(start));
    is_copied_[block] = 1;
  }
  return copies_.subspan(position, rest_of_block(position));
}

}  // namespace monitor
