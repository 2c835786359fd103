// Every position that a program passes through when it is run one instruction at a time: where it
// stands, and a hash over its registers: general, RFLAGS, x87, SSE and AVX. Filled once; then the
// positions at which a second process of the same program was stopped are looked up, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/memory/frame_allocator.hpp"

namespace ground_truth {

struct Position {
  std::uint64_t rip;
  std::uint64_t hash;
  friend bool operator==(const Position&, const Position&) = default;
};

// A word changes the hash of all that follow it (FNV-1a's way, by words).
class Hash {
public:
  void add(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x100000001b3;
    value_ ^= value_ >> 32;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// Of a state that is complete (arch::save_rest()), or brought up to date by save_vectors().
[[nodiscard]] Position position_of(const arch::UserState& state);

// The part of arch::save_rest() that one instruction of a program can change, in a tenth of the
// time.
void save_vectors(arch::UserState& state);

class Trace {
public:
  static constexpr std::size_t capacity = 3'000'000;

  // The table's frames are never given back. False: there is not so much memory.
  [[nodiscard]] bool allocate(reprise::FrameAllocator& frames);

  void clear() { size_ = 0; }
  // False when the table is full.
  [[nodiscard]] bool append(const Position& position) {
    if (size_ == positions_.size()) return false;
    positions_[size_++] = position;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Position& operator[](std::size_t index) const { return positions_[index]; }

  // The first such position from `from` on.
  [[nodiscard]] std::optional<std::size_t> find(const Position& position, std::size_t from) const {
    for (std::size_t i = from; i < size_; ++i) {
      if (positions_[i] == position) return i;
    }
    return std::nullopt;
  }

private:
  std::span<Position> positions_;
  std::size_t size_ = 0;
};

}  // namespace ground_truth
