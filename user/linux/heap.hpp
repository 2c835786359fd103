// The personality's own memory: file contents, names, tables. Blocks are powers of two, cut from
// one window of the address space that the program cannot map into; a released block waits in the
// list of its size and never returns to the kernel. Larger ones are split once memory is short. A
// block has no header: its owner knows the size and gives it at release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace personality {

class Heap {
public:
  // [low, high): multiples of the page size, nothing is mapped there.
  void initialise(std::uint64_t low, std::uint64_t high);

  // Aligned to its size up to a page; contents undefined. nullptr: no memory left.
  [[nodiscard]] void* allocate(std::size_t bytes);
  void release(void* block, std::size_t bytes);

  template <typename T>
  [[nodiscard]] T* create() {
    void* block = allocate(sizeof(T));
    return block == nullptr ? nullptr : new (block) T();
  }
  template <typename T>
  void destroy(T* object) {
    object->~T();
    release(object, sizeof(T));
  }

  [[nodiscard]] std::uint64_t low() const { return low_; }
  [[nodiscard]] std::uint64_t high() const { return high_; }
  [[nodiscard]] bool owns(const void* block) const {
    const auto address = reinterpret_cast<std::uint64_t>(block);
    return address >= low_ && address < high_;
  }
  // Bytes that are mapped and in no use.
  [[nodiscard]] std::uint64_t spare() const { return spare_ + (mapped_ - next_); }

private:
  struct Free {
    Free* next;
  };
  static constexpr unsigned smallest = 5;  // 32 bytes
  static constexpr unsigned largest = 34;
  static unsigned class_of(std::size_t bytes);
  [[nodiscard]] bool map(std::uint64_t bytes) const;
  bool extend(std::uint64_t end);
  void* cut(std::size_t bytes);
  void* split(unsigned size_class);

  Free* free_[largest + 1];
  std::uint64_t low_, high_;
  std::uint64_t next_;    // nothing at or above it was handed out
  std::uint64_t mapped_;  // end of what is mapped
  std::uint64_t spare_;   // in released blocks
};

[[nodiscard]] Heap& heap();

}  // namespace personality
