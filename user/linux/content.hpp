// The bytes of one regular file. They start in the archive, read-only. A written page gets a copy
// of its own (copy-on-write). A page in neither is a hole and reads as zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "user/linux/errno.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

class Content {
public:
  void set_archived(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t own_pages() const { return own_pages_; }
  // Whether anybody has written to it or set its size.
  [[nodiscard]] bool changed() const { return changed_; }

  // Bytes read, 0 at the end; EFAULT.
  [[nodiscard]] Value read(std::uint64_t offset, UserAddress to, std::uint64_t bytes) const;
  // Bytes written, fewer than asked when memory ends; ENOSPC, EFBIG, EFAULT.
  [[nodiscard]] Value write(std::uint64_t offset, UserAddress from, std::uint64_t bytes);
  [[nodiscard]] Value resize(std::uint64_t size);
  // Into memory known to be there and zero.
  void load(std::uint64_t offset, void* to, std::uint64_t bytes) const;
  void clear();

private:
  [[nodiscard]] const std::byte* part(std::uint64_t offset, std::uint64_t& bytes) const;
  [[nodiscard]] std::byte* own_page(std::uint64_t index);
  [[nodiscard]] bool reserve(std::uint64_t pages);
  void drop_pages(std::uint64_t first);

  std::span<const std::byte> archived_;
  std::uint64_t size_ = 0;
  std::byte** pages_ = nullptr;  // nullptr entries: archive or hole
  std::uint64_t slots_ = 0, own_pages_ = 0;
  bool changed_ = false;
};

}  // namespace personality
