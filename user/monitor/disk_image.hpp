// A disk's content: a file that is only read, and a copy of each block that the guest has written.
// What is written is gone with the guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace monitor {

class DiskImage {
public:
  static constexpr std::uint64_t sector_bytes = 512, block_bytes = 4096;

  // Memory for the copies, all zero: as large as the file in whole blocks, and a byte for each
  // block.
  DiskImage(std::span<const std::byte> file, std::span<std::byte> copies,
            std::span<std::uint8_t> is_copied)
      : file_{file}, copies_{copies}, is_copied_{is_copied} {}

  [[nodiscard]] static std::uint64_t blocks_of(std::uint64_t bytes) {
    return (bytes + block_bytes - 1) / block_bytes;
  }
  // Whole sectors only; a rest of the file is not shown.
  [[nodiscard]] std::uint64_t sectors() const { return file_.size() / sector_bytes; }
  [[nodiscard]] std::uint64_t bytes() const { return sectors() * sector_bytes; }
  // The bytes from `position` on, up to the end of its block or of the disk. `position` is on it.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t position) const;
  [[nodiscard]] std::span<std::byte> writable_at(std::uint64_t position);

private:
  [[nodiscard]] std::uint64_t rest_of_block(std::uint64_t position) const;

  std::span<const std::byte> file_;
  std::span<std::byte> copies_;
  std::span<std::uint8_t> is_copied_;
};

}  // namespace monitor
