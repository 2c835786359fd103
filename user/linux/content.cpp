#include "user/linux/content.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {
constexpr std::uint64_t largest_file = 1ull << 40;
constexpr std::uint64_t least(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }
}  // namespace

void Content::set_archived(std::span<const std::byte> bytes) {
  clear();
  archived_ = bytes;
  size_ = bytes.size();
}

void Content::clear() {
  drop_pages(0);
  heap().release(pages_, slots_ * sizeof *pages_);
  pages_ = nullptr;
  slots_ = 0;
  size_ = 0;
  changed_ = false;
  archived_ = {};
}

void Content::drop_pages(std::uint64_t first) {
  for (std::uint64_t i = first; i < slots_; ++i) {
    if (pages_[i] == nullptr) continue;
    heap().release(pages_[i], page_bytes);
    pages_[i] = nullptr;
    --own_pages_;
  }
}

// The longest run of bytes from `offset` that lies in one place, at most `bytes` long; nullptr: a
// hole. Sets `bytes` to the length of the run. `offset` + `bytes` must not exceed the size.
const std::byte* Content::part(std::uint64_t offset, std::uint64_t& bytes) const {
  const std::uint64_t index = offset / page_bytes, within = offset % page_bytes;
  if (own_pages_ == 0 && offset < archived_.size()) {
    bytes = least(bytes, archived_.size() - offset);
    return archived_.data() + offset;
  }
  bytes = least(bytes, page_bytes - within);
  if (index < slots_ && pages_[index] != nullptr) return pages_[index] + within;
  if (offset >= archived_.size()) return nullptr;
  bytes = least(bytes, archived_.size() - offset);
  return archived_.data() + offset;
}

Value Content::read(std::uint64_t offset, UserAddress to, std::uint64_t bytes) const {
  if (offset >= size_) return 0;
  bytes = least(bytes, size_ - offset);
  for (std::uint64_t done = 0; done < bytes;) {
    std::uint64_t length = bytes - done;
    const std::byte* from = part(offset + done, length);
    const bool copied =
        from == nullptr ? clear_user(to + done, length) : copy_out(to + done, from, length);
    if (!copied) return fail(Errno::Fault);
    done += length;
  }
  return static_cast<Value>(bytes);
}

void Content::load(std::uint64_t offset, void* to, std::uint64_t bytes) const {
  if (offset >= size_) return;
  bytes = least(bytes, size_ - offset);
  for (std::uint64_t done = 0; done < bytes;) {
    std::uint64_t length = bytes - done;
    const std::byte* from = part(offset + done, length);
    if (from != nullptr) memcpy(static_cast<std::byte*>(to) + done, from, length);
    done += length;
  }
}

bool Content::reserve(std::uint64_t pages) {
  if (pages <= slots_) return true;
  std::uint64_t slots = slots_ == 0 ? 4 : slots_;
  while (slots < pages) slots *= 2;
  auto** table = static_cast<std::byte**>(heap().allocate(slots * sizeof *pages_));
  if (table == nullptr) return false;
  for (std::uint64_t i = 0; i < slots; ++i) table[i] = i < slots_ ? pages_[i] : nullptr;
  heap().release(pages_, slots_ * sizeof *pages_);
  pages_ = table;
  slots_ = slots;
  return true;
}

std::byte* Content::own_page(std::uint64_t index) {
  if (!reserve(index + 1)) return nullptr;
  if (pages_[index] != nullptr) return pages_[index];
  auto* page = static_cast<std::byte*>(heap().allocate(page_bytes));
  if (page == nullptr) return nullptr;
  const std::uint64_t start = index * page_bytes;
  const std::uint64_t from_archive =
      start < archived_.size() ? least(page_bytes, archived_.size() - start) : 0;
  if (from_archive > 0) memcpy(page, archived_.data() + start, from_archive);
  memset(page + from_archive, 0, page_bytes - from_archive);
  pages_[index] = page;
  ++own_pages_;
  return page;
}

Value Content::write(std::uint64_t offset, UserAddress from, std::uint64_t bytes) {
  if (offset > largest_file || bytes > largest_file - offset) return fail(Errno::FileTooBig);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = offset + done, within = at % page_bytes;
    const std::uint64_t length = least(bytes - done, page_bytes - within);
    std::byte* page = own_page(at / page_bytes);
    if (page == nullptr) return done > 0 ? static_cast<Value>(done) : fail(Errno::NoSpace);
    if (!copy_in(page + within, from + done, length)) {
      return done > 0 ? static_cast<Value>(done) : fail(Errno::Fault);
    }
    done += length;
    changed_ = true;
    if (at + length > size_) size_ = at + length;
  }
  return static_cast<Value>(bytes);
}

Value Content::resize(std::uint64_t size) {
  if (size > largest_file) return fail(Errno::FileTooBig);
  changed_ = true;
  if (size < size_) {
    drop_pages(page_up(size) / page_bytes);
    archived_ = archived_.first(least(archived_.size(), size));
    // If the file grows again, the bytes behind the new end must read as zeros.
    const std::uint64_t index = size / page_bytes, within = size % page_bytes;
    if (within != 0 && index < slots_ && pages_[index] != nullptr) {
      memset(pages_[index] + within, 0, page_bytes - within);
    }
  }
  size_ = size;
  return 0;
}

}  // namespace personality
