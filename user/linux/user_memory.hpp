// Memory behind the program's own pointers. Only these functions touch it. With a bad pointer they
// return false, and the Linux call fails with EFAULT (user_memory.asm, entry.asm).
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
std::int64_t user_copy(void* to, const void* from, std::uint64_t bytes);
std::int64_t user_string(char* to, const char* from, std::uint64_t limit);
std::int64_t user_save_vectors(void* area, std::uint64_t components);
std::int64_t user_load_vectors(const void* area, std::uint64_t components);
}

namespace personality {

// An unchecked address from the program.
class UserAddress {
public:
  explicit constexpr UserAddress(std::uint64_t value = 0) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_null() const { return value_ == 0; }
  [[nodiscard]] constexpr UserAddress operator+(std::uint64_t bytes) const {
    return UserAddress(value_ + bytes);
  }

private:
  std::uint64_t value_;
};

// After a fault: whether pages were only elsewhere (file_mappings.cpp), so that it may be tried
// again.
[[nodiscard]] bool bring_pages(UserAddress start, std::uint64_t bytes);

[[nodiscard]] inline bool copy_in(void* to, UserAddress from, std::uint64_t bytes) {
  const void* const source = reinterpret_cast<const void*>(from.value());
  if (user_copy(to, source, bytes) == 0) return true;
  return bring_pages(from, bytes) && user_copy(to, source, bytes) == 0;
}
[[nodiscard]] inline bool copy_out(UserAddress to, const void* from, std::uint64_t bytes) {
  void* const target = reinterpret_cast<void*>(to.value());
  if (user_copy(target, from, bytes) == 0) return true;
  return bring_pages(to, bytes) && user_copy(target, from, bytes) == 0;
}
template <typename T>
[[nodiscard]] bool read_user(UserAddress from, T& to) {
  return copy_in(&to, from, sizeof(T));
}
template <typename T>
[[nodiscard]] bool write_user(UserAddress to, const T& from) {
  return copy_out(to, &from, sizeof(T));
}
[[nodiscard]] bool clear_user(UserAddress to, std::uint64_t bytes);

}  // namespace personality
