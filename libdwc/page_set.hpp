// The pages that a PE has modified, or is predicted to modify, each with its three frames. Pages of
// the set are mapped writable. Every other page of the process is write-protected, so the set knows
// of each write. The order has no meaning. shadow_frames.hpp says what the frames are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "libdwc/core.hpp"
#include "libdwc/space.hpp"

namespace dwc {

// A broken contract between the engine and its caller: nothing sensible can follow, so the program
// traps on the spot (in the kernel an invalid-opcode exception, which panics).
constexpr void require(bool kept) {
  if (!kept) __builtin_trap();
}

template <Space S>
struct PageEntry {
  typename S::Page page{};
  typename S::Frame work{};       // mapped, written in place
  typename S::Frame base{};       // P0, the content at the start of the PE; never mapped
  typename S::Frame spare{};      // for the second run; from rewind to commit it holds P1
  std::uint64_t base_check = 0;   // check word of P0
  std::uint64_t first_check = 0;  // check word of P1, once it has been compared
  std::uint32_t clean_for = 0;    // PEs in a row in which no run wrote the page
  bool base_shared = false;       // the base is a zero page or a file: not ours to write or release
  bool joined_now = false;        // in this first run; otherwise the page was predicted
  bool first_dirty = false;
  bool second_dirty = false;
  bool rewound = false;  // spare holds P1, work began the second run as a copy of P0

  [[nodiscard]] bool dirty_in(WhichRun run) const {
    return run == WhichRun::First ? first_dirty : second_dirty;
  }
  void set_dirty_in(WhichRun run, bool dirty) {
    if (run == WhichRun::First) {
      first_dirty = dirty;
    } else {
      second_dirty = dirty;
    }
  }
  [[nodiscard]] bool dirty_in_either() const { return first_dirty || second_dirty; }
};

template <Space S>
class PageSet {
public:
  using Entry = PageEntry<S>;

  PageSet(std::span<Entry> storage, std::size_t budget)
      : storage_{storage.first(budget < storage.size() ? budget : storage.size())} {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == storage_.size(); }
  [[nodiscard]] Entry* begin() { return storage_.data(); }
  [[nodiscard]] Entry* end() { return storage_.data() + size_; }
  [[nodiscard]] const Entry* begin() const { return storage_.data(); }
  [[nodiscard]] const Entry* end() const { return storage_.data() + size_; }

  [[nodiscard]] Entry* find(typename S::Page page) {
    for (Entry& entry : *this) {
      if (entry.page == page) return &entry;
    }
    return nullptr;
  }

  void add(const Entry& entry) {
    require(!full());
    storage_[size_] = entry;
    ++size_;
  }

  // The last entry moves into the gap: a walk of the set goes on at the same place.
  void remove(Entry* entry) {
    --size_;
    *entry = storage_[size_];
  }

  [[nodiscard]] std::size_t count_dirty_in(WhichRun run) const {
    std::size_t count = 0;
    for (const Entry& entry : *this) {
      if (entry.dirty_in(run)) ++count;
    }
    return count;
  }

  // The k-th page that `run` modified, in the set's order.
  [[nodiscard]] const Entry& dirty_in(WhichRun run, std::size_t k) const {
    for (const Entry& entry : *this) {
      if (!entry.dirty_in(run)) continue;
      if (k == 0) return entry;
      --k;
    }
    require(false);
    __builtin_unreachable();
  }

private:
  std::span<Entry> storage_;
  std::size_t size_ = 0;
};

}  // namespace dwc
