#include "user/linux/content.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {
constexpr std::uint64_t bounce_bytes = 1024;
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
  for (std::uint64_t i = 0; i < group_count_; ++i) {
    if (groups_[i] != nullptr) heap().destroy(groups_[i]);
  }
  heap().release(groups_, group_count_ * sizeof *groups_);
  groups_ = nullptr;
  group_count_ = 0;
  size_ = 0;
  changed_ = false;
  archived_ = {};
}

void Content::drop_pages(std::uint64_t first) {
  for (std::uint64_t i = first; i < group_count_ * group_pages; ++i) {
    std::byte* const page = page_at(i);
    if (page == nullptr) continue;
    release_page(page);
    set_page(i, nullptr);
    --own_pages_;
  }
}

std::byte* Content::page_at(std::uint64_t index) const {
  const std::uint64_t group = index / group_pages;
  if (group >= group_count_ || groups_[group] == nullptr) return nullptr;
  return groups_[group]->pages[index % group_pages];
}

// Its group is there.
void Content::set_page(std::uint64_t index, std::byte* page) {
  groups_[index / group_pages]->pages[index % group_pages] = page;
}

// A joined page is the mapping's.
void Content::release_page(std::byte* page) {
  if (heap().owns(page)) heap().release(page, page_bytes);
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
  if (const std::byte* const own = page_at(index); own != nullptr) return own + within;
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
    if (is_joined(offset + done)) {
      if (length > bounce_bytes) length = bounce_bytes;
      if (!copy_joined_out(to + done, from, length)) return fail(Errno::Fault);
      done += length;
      continue;
    }
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
    const PageAccess access(from, Access::Read);
    if (from != nullptr) memcpy(static_cast<std::byte*>(to) + done, from, length);
    done += length;
  }
}

bool Content::is_joined(std::uint64_t offset) const {
  return joined_page(offset / page_bytes) != nullptr;
}

// The program's buffer may be the same page in another mapping, so that the page moves there while
// it is read. So the bytes take a way between.
bool Content::copy_joined_in(std::uint64_t offset, UserAddress from, std::uint64_t bytes) const {
  std::byte between[bounce_bytes];
  if (!copy_in(between, from, bytes)) return false;
  std::byte* const page = page_at(offset / page_bytes);
  const PageAccess access(page, Access::Write);
  memcpy(page + offset % page_bytes, between, bytes);
  return true;
}

bool Content::copy_joined_out(UserAddress to, const std::byte* from, std::uint64_t bytes) {
  std::byte between[bounce_bytes];
  {
    const PageAccess access(from, Access::Read);
    memcpy(between, from, bytes);
  }
  return copy_out(to, between, bytes);
}

bool Content::reserve(std::uint64_t index) {
  const std::uint64_t group = index / group_pages;
  if (group >= group_count_) {
    std::uint64_t count = group_count_ == 0 ? 4 : group_count_;
    while (count <= group) count *= 2;
    auto** table = static_cast<Group**>(heap().allocate(count * sizeof *groups_));
    if (table == nullptr) return false;
    for (std::uint64_t i = 0; i < count; ++i) table[i] = i < group_count_ ? groups_[i] : nullptr;
    heap().release(groups_, group_count_ * sizeof *groups_);
    groups_ = table;
    group_count_ = count;
  }
  if (groups_[group] == nullptr) groups_[group] = heap().create<Group>();
  return groups_[group] != nullptr;
}

std::byte* Content::own_page(std::uint64_t index) {
  if (std::byte* const own = page_at(index); own != nullptr) return own;
  if (!reserve(index)) return nullptr;
  auto* page = static_cast<std::byte*>(heap().allocate(page_bytes));
  if (page == nullptr) return nullptr;
  const std::uint64_t start = index * page_bytes;
  const std::uint64_t from_archive =
      start < archived_.size() ? least(page_bytes, archived_.size() - start) : 0;
  if (from_archive > 0) memcpy(page, archived_.data() + start, from_archive);
  memset(page + from_archive, 0, page_bytes - from_archive);
  set_page(index, page);
  ++own_pages_;
  return page;
}

Value Content::write(std::uint64_t offset, UserAddress from, std::uint64_t bytes) {
  if (offset > largest_file || bytes > largest_file - offset) return fail(Errno::FileTooBig);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = offset + done, within = at % page_bytes;
    std::uint64_t length = least(bytes - done, page_bytes - within);
    std::byte* page = own_page(at / page_bytes);
    if (page == nullptr) return done > 0 ? static_cast<Value>(done) : fail(Errno::NoSpace);
    const bool joined = !heap().owns(page);
    if (joined && length > bounce_bytes) length = bounce_bytes;
    if (!(joined ? copy_joined_in(at, from + done, length)
                 : copy_in(page + within, from + done, length))) {
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
    std::byte* const last = page_at(index);
    if (within != 0 && last != nullptr) {
      const PageAccess access(last, Access::Write);
      memset(last + within, 0, page_bytes - within);
    }
  }
  size_ = size;
  return 0;
}

bool Content::join(std::uint64_t index, std::byte* page) {
  if (!reserve(index)) return false;
  changed_ = true;
  load(index * page_bytes, page, page_bytes);
  if (std::byte* const old = page_at(index); old != nullptr) {
    release_page(old);
  } else {
    ++own_pages_;
  }
  set_page(index, page);
  return true;
}

// Pages that the program has not changed go back to the archive, or to being a hole.
bool Content::part_from(std::uint64_t index) {
  std::byte* const joined = joined_page(index);
  if (joined == nullptr) return true;
  const PageAccess access(joined, Access::Read);
  set_page(index, nullptr);
  --own_pages_;
  if (is_original(index, joined)) return true;
  auto* page = static_cast<std::byte*>(heap().allocate(page_bytes));
  ++own_pages_;
  set_page(index, page != nullptr ? page : joined);
  if (page == nullptr) return false;
  memcpy(page, joined, page_bytes);
  return true;
}

std::byte* Content::joined_page(std::uint64_t index) const {
  std::byte* const page = page_at(index);
  return heap().owns(page) ? nullptr : page;
}

bool Content::is_original(std::uint64_t index, const std::byte* page) const {
  const std::uint64_t start = index * page_bytes;
  const std::uint64_t archived =
      start < archived_.size() ? least(page_bytes, archived_.size() - start) : 0;
  if (archived != 0 && memcmp(page, archived_.data() + start, archived) != 0) return false;
  for (std::uint64_t i = archived; i < page_bytes; ++i) {
    if (page[i] != std::byte{0}) return false;
  }
  return true;
}

Value Content::allocate(std::uint64_t offset, std::uint64_t bytes) {
  if (offset > largest_file || bytes > largest_file - offset) return fail(Errno::FileTooBig);
  const std::uint64_t end = page_up(offset + bytes) / page_bytes;
  for (std::uint64_t index = offset / page_bytes; index < end; ++index) {
    if (!is_data(index) && own_page(index) == nullptr) return fail(Errno::NoSpace);
  }
  return 0;
}

bool Content::is_data(std::uint64_t index) const {
  return page_at(index) != nullptr || index * page_bytes < archived_.size();
}

std::uint64_t Content::next_data(std::uint64_t offset) const {
  for (std::uint64_t at = offset; at < size_; at = page_down(at) + page_bytes) {
    if (is_data(at / page_bytes)) return at;
  }
  return size_;
}

std::uint64_t Content::next_hole(std::uint64_t offset) const {
  for (std::uint64_t at = offset; at < size_; at = page_down(at) + page_bytes) {
    if (!is_data(at / page_bytes)) return at;
  }
  return size_;
}

std::uint64_t Content::data_pages() const {
  const std::uint64_t archived_pages = page_up(archived_.size()) / page_bytes;
  std::uint64_t pages = archived_pages;
  const std::uint64_t most = group_count_ * group_pages;
  for (std::uint64_t i = archived_pages; own_pages_ != 0 && i < most; ++i) {
    if (page_at(i) != nullptr) ++pages;
  }
  return pages;
}

}  // namespace personality
