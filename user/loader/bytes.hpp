// Bounds-checked views of untrusted bytes. No sum of two untrusted numbers is ever formed, so that
// none can wrap around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace reprise {

using Bytes = std::span<const std::byte>;

// `size` bytes from `offset` on, or nothing when they are not all there.
[[nodiscard]] constexpr std::optional<Bytes> slice(Bytes bytes, std::uint64_t offset,
                                                   std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

// The bytes at `offset` as a T, whatever their alignment.
template <class T>
[[nodiscard]] std::optional<std::remove_const_t<T>> read_as(Bytes bytes, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  std::remove_const_t<T> value;
  __builtin_memcpy(&value, part->data(), sizeof(T));
  return value;
}

}  // namespace reprise
