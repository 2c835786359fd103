// Reading tables that firmware and boot loader wrote: unaligned, and only within bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace arch {

using Bytes = std::span<const std::byte>;

// The number or packed structure at `offset`; all zero when it does not lie wholly within `bytes`.
template <class T>
[[nodiscard]] T value_at(Bytes bytes, std::size_t offset) {
  T value{};
  if (offset <= bytes.size() && bytes.size() - offset >= sizeof(T)) {
    __builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
  }
  return value;
}

}  // namespace arch
