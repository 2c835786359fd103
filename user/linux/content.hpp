// The bytes of one regular file. They start in the archive, read-only. A written page gets a copy
// of its own (copy-on-write). A page in neither is a hole and reads as zeros. While a page is
// joined to a mapping of the program (file_mappings.cpp), its own copy is the page there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "user/linux/errno.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

// Lets the personality at a page of the program's mapping, whatever the program may do there.
enum class Access { Read, Write };
class PageAccess {
public:
  PageAccess(const std::byte* page, Access access);
  ~PageAccess();
  PageAccess(const PageAccess&) = delete;
  PageAccess& operator=(const PageAccess&) = delete;

private:
  [[maybe_unused]] std::uint64_t opened_ = 0;  // address; 0: nothing had to be done
  [[maybe_unused]] std::uint32_t protection_ = 0;
};

class Content {
public:
  void set_archived(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t own_pages() const { return own_pages_; }
  // Whether anybody has written to it or set its size, or may have by a mapping.
  [[nodiscard]] bool changed() const { return changed_; }

  // Bytes read, 0 at the end; EFAULT.
  [[nodiscard]] Value read(std::uint64_t offset, UserAddress to, std::uint64_t bytes) const;
  // Bytes written, fewer than asked when memory ends; ENOSPC, EFBIG, EFAULT.
  [[nodiscard]] Value write(std::uint64_t offset, UserAddress from, std::uint64_t bytes);
  [[nodiscard]] Value resize(std::uint64_t size);
  // Gives every hole in the range a page of zeros, and leaves the size as it is; ENOSPC, EFBIG.
  [[nodiscard]] Value allocate(std::uint64_t offset, std::uint64_t bytes);
  // Where the next data, or the next hole, begins: by pages. `offset` lies before the size; so does
  // a hole that is found. Without another one it is the size.
  [[nodiscard]] std::uint64_t next_data(std::uint64_t offset) const;
  [[nodiscard]] std::uint64_t next_hole(std::uint64_t offset) const;
  [[nodiscard]] std::uint64_t data_pages() const;
  // Into memory known to be there and zero.
  void load(std::uint64_t offset, void* to, std::uint64_t bytes) const;
  void clear();

  // The page of the file becomes the one at this address, where zeros are. False: no memory.
  [[nodiscard]] bool join(std::uint64_t index, std::byte* page);
  // It is the file's own again. False: no memory, and it is still joined.
  [[nodiscard]] bool part_from(std::uint64_t index);
  // Where it is joined; nullptr: it is not.
  [[nodiscard]] std::byte* joined_page(std::uint64_t index) const;

private:
  // Own pages by their number, in groups: so a large file needs no large block.
  static constexpr std::uint64_t group_pages = 64;
  struct Group {
    std::byte* pages[group_pages] = {};  // nullptr: archive or hole
  };
  [[nodiscard]] std::byte* page_at(std::uint64_t index) const;
  void set_page(std::uint64_t index, std::byte* page);
  [[nodiscard]] const std::byte* part(std::uint64_t offset, std::uint64_t& bytes) const;
  [[nodiscard]] std::byte* own_page(std::uint64_t index);
  [[nodiscard]] bool reserve(std::uint64_t index);  // a place for that page
  [[nodiscard]] bool is_joined(std::uint64_t offset) const;
  [[nodiscard]] bool copy_joined_in(std::uint64_t offset, UserAddress from,
                                    std::uint64_t bytes) const;
  [[nodiscard]] static bool copy_joined_out(UserAddress to, const std::byte* from,
                                            std::uint64_t bytes);
  void drop_pages(std::uint64_t first);
  static void release_page(std::byte* page);
  [[nodiscard]] bool is_data(std::uint64_t index) const;
  [[nodiscard]] bool is_original(std::uint64_t index, const std::byte* page) const;

  std::span<const std::byte> archived_;
  std::uint64_t size_ = 0;
  Group** groups_ = nullptr;  // entries that are nullptr have no pages
  std::uint64_t group_count_ = 0, own_pages_ = 0;
  bool changed_ = false;
};

}  // namespace personality
