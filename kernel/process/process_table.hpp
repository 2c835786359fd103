// All processes, in the order in which they were started; init is the first. Numbers count up and
// are never used again. The memory of a process that is removed serves a later one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "kernel/base/assert.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

class ProcessTable {
public:
  static constexpr std::size_t capacity = most_processes;

  // The number that the next process gets.
  [[nodiscard]] std::uint64_t next_number() const { return last_number_ + 1; }
  [[nodiscard]] bool full() const { return count_ == capacity; }

  // A new process, made from its number and the arguments. Nothing when there is no memory for it.
  // The table may not be full.
  template <class... Arguments>
  [[nodiscard]] Process* add(FrameAllocator& frames, Arguments&&... arguments) {
    void* const place = take_place(frames);
    if (place == nullptr) return nullptr;
    ++last_number_;
    auto* const process = new (place) Process{last_number_, std::forward<Arguments>(arguments)...};
    processes_[count_] = process;
    ++count_;
    return process;
  }
  // Of one that has ended, and that nobody refers to any more.
  void remove(Process& process);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Process& operator[](std::size_t index) { return *processes_[index]; }
  [[nodiscard]] const Process& operator[](std::size_t index) const { return *processes_[index]; }
  // By number; nothing when there is none, no longer or not yet.
  [[nodiscard]] Process* find(std::uint64_t number);

private:
  static constexpr std::size_t none = ~std::size_t{0};

  [[nodiscard]] void* take_place(FrameAllocator& frames);
  [[nodiscard]] std::size_t index_of(std::uint64_t number) const;

  std::array<Process*, capacity> processes_{};  // by rising number
  std::size_t count_ = 0;
  std::array<void*, capacity> free_places_{};  // each as large as a process
  std::size_t free_place_count_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace reprise
