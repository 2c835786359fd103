#include "user/linux/heap.hpp"

#include <bit>

#include "user/linux/native.hpp"

namespace personality {

namespace {
constinit Heap the_heap{};
constexpr std::uint64_t step = 256 * 1024;  // one native call for so much memory
}  // namespace

Heap& heap() { return the_heap; }

void Heap::initialise(std::uint64_t low, std::uint64_t high) {
  for (Free*& list : free_) list = nullptr;
  low_ = next_ = mapped_ = low;
  high_ = high;
  spare_ = 0;
}

unsigned Heap::class_of(std::size_t bytes) {
  const auto exponent = static_cast<unsigned>(std::bit_width(bytes == 0 ? 0 : bytes - 1));
  return exponent < smallest ? smallest : exponent;
}

bool Heap::map(std::uint64_t bytes) const {
  return native::map(mapped_, bytes, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) >= 0;
}

bool Heap::extend(std::uint64_t end) {
  if (end > high_) return false;
  while (mapped_ < end) {
    std::uint64_t bytes = (end - mapped_ + step - 1) / step * step;
    if (bytes > high_ - mapped_) bytes = high_ - mapped_;
    if (!map(bytes)) {
      bytes = (end - mapped_ + REPRISE_PAGE_SIZE - 1) / REPRISE_PAGE_SIZE * REPRISE_PAGE_SIZE;
      if (!map(bytes)) return false;  // not even what is needed
    }
    mapped_ += bytes;
  }
  return true;
}

void* Heap::cut(std::size_t bytes) {
  const std::uint64_t align = bytes < REPRISE_PAGE_SIZE ? bytes : REPRISE_PAGE_SIZE;
  const std::uint64_t start = (next_ + align - 1) & ~(align - 1);
  if (!extend(start + bytes)) return nullptr;
  // Cuts the bytes that alignment skips into free blocks, so they are not lost.
  for (std::uint64_t at = next_; at < start;) {
    const std::uint64_t block = at & (~at + 1);
    if (block >= 1u << smallest) release(reinterpret_cast<void*>(at), block);
    at += block;
  }
  next_ = start + bytes;
  return reinterpret_cast<void*>(start);
}

void* Heap::allocate(std::size_t bytes) {
  const unsigned size_class = class_of(bytes);
  if (size_class > largest) return nullptr;
  if (Free* block = free_[size_class]; block != nullptr) {
    free_[size_class] = block->next;
    spare_ -= std::uint64_t{1} << size_class;
    return block;
  }
  void* const block = cut(std::size_t{1} << size_class);
  return block != nullptr ? block : split(size_class);
}

// When nothing can be mapped any more: the smallest larger block that was released, cut in halves.
void* Heap::split(unsigned size_class) {
  unsigned larger = size_class + 1;
  while (larger <= largest && free_[larger] == nullptr) ++larger;
  if (larger > largest) return nullptr;
  auto* const block = reinterpret_cast<std::byte*>(free_[larger]);
  free_[larger] = free_[larger]->next;
  spare_ -= std::uint64_t{1} << larger;
  while (larger > size_class) {
    --larger;
    release(block + (std::size_t{1} << larger), std::size_t{1} << larger);
  }
  return block;
}

void Heap::release(void* block, std::size_t bytes) {
  if (block == nullptr) return;
  const unsigned size_class = class_of(bytes);
  free_[size_class] = new (block) Free{free_[size_class]};
  spare_ += std::uint64_t{1} << size_class;
}

}  // namespace personality
