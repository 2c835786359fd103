// Addresses and page-sized numbers, each kind a type of its own. So a physical address cannot be
// used as a user address, nor either as a plain number. Conversions are explicit.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace reprise {

inline constexpr std::size_t page_size = 4096;
inline constexpr unsigned page_shift = 12;
inline constexpr std::size_t words_per_page = page_size / sizeof(std::uint64_t);

// A 64-bit quantity with a unit; Tag makes each unit a type of its own.
template <class Tag>
class Quantity {
public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::uint64_t value) : value_{value} {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, std::uint64_t distance) {
    return Quantity{a.value_ + distance};
  }

private:
  std::uint64_t value_ = 0;
};

using PhysAddr = Quantity<struct PhysAddrTag>;        // byte address in physical memory
using UserAddr = Quantity<struct UserAddrTag>;        // byte address from ring 3, not checked
using FrameNumber = Quantity<struct FrameNumberTag>;  // physical address / 4096
using PageNumber = Quantity<struct PageNumberTag>;    // user virtual address / 4096
using Nanoseconds = Quantity<struct NanosecondsTag>;  // since kernel entry, or a duration

[[nodiscard]] constexpr FrameNumber frame_containing(PhysAddr a) {
  return FrameNumber{a.value() >> page_shift};
}
[[nodiscard]] constexpr PhysAddr address_of(FrameNumber f) {
  return PhysAddr{f.value() << page_shift};
}
[[nodiscard]] constexpr PageNumber page_of(UserAddr a) {
  return PageNumber{a.value() >> page_shift};
}
[[nodiscard]] constexpr UserAddr address_of(PageNumber p) {
  return UserAddr{p.value() << page_shift};
}
[[nodiscard]] constexpr std::uint64_t round_down(std::uint64_t bytes) {
  return bytes & ~(page_size - 1);
}
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return round_down(bytes + page_size - 1);
}

// Hands out frames. Page tables take their frames from it, so they need not know the allocator.
class FrameSource {
public:
  // A frame of unspecified content, or nothing when memory is exhausted.
  [[nodiscard]] virtual std::optional<FrameNumber> allocate() = 0;
  virtual void release(FrameNumber frame) = 0;
  // How many frames allocate() can still give.
  [[nodiscard]] virtual std::uint64_t free_frames() const = 0;

protected:
  ~FrameSource() = default;
};

}  // namespace reprise
