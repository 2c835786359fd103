// Reading numbers out of tables that firmware and boot loader wrote: unaligned, and only within
// bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace arch {

template <class T>
  requires std::is_unsigned_v<T>
[[nodiscard]] std::optional<T> read_number(std::span<const std::byte> bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  __builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// The part of `bytes` from `offset` on, `size` bytes long, or nothing when it is not all there.
[[nodiscard]] inline std::optional<std::span<const std::byte>> part(
    std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
  return bytes.subspan(offset, size);
}

}  // namespace arch
