// Keeps typed characters until a program reads them. Characters that do not fit are lost and
// counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace drivers {

class InputRing {
public:
  static constexpr std::size_t capacity = 4096;

  void put(char c) {
    if (size() == capacity) {
      lose();
      return;
    }
    text_[arrived_ % capacity] = c;
    ++arrived_;
  }
  void lose() { ++lost_; }
  [[nodiscard]] std::size_t size() const { return arrived_ - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  // Copies the oldest characters, as many as fit. They stay until drop().
  [[nodiscard]] std::size_t copy(std::span<char> buffer) const {
    const std::size_t count = size() < buffer.size() ? size() : buffer.size();
    for (std::size_t i = 0; i < count; ++i) buffer[i] = text_[(taken_ + i) % capacity];
    return count;
  }
  void drop(std::size_t count) { taken_ += count; }
  // Characters lost since the last call.
  [[nodiscard]] std::uint64_t take_lost() {
    const std::uint64_t lost = lost_;
    lost_ = 0;
    return lost;
  }

private:
  std::array<char, capacity> text_{};
  std::size_t arrived_ = 0;  // characters since the start
  std::size_t taken_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace drivers
