#include "kernel/memory/page_range.hpp"

#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

// One call may not keep the kernel, which nobody can preempt, busy for long.
constexpr std::uint64_t max_bytes_per_call = 16ull << 30;

bool are_pages(UserAddr start, std::uint64_t bytes) {
  const bool aligned = ((start.value() | bytes) & (page_size - 1)) == 0;
  return aligned && bytes != 0 && bytes <= max_bytes_per_call;
}

bool is_between(std::uint64_t low, std::uint64_t high, UserAddr start, std::uint64_t bytes) {
  const std::uint64_t first = start.value();
  return first >= low && first < high && bytes <= high - first;
}

}  // namespace

std::optional<PageRange> PageRange::of(UserAddr start, std::uint64_t bytes) {
  if (!are_pages(start, bytes) || !is_in_user_half(start, bytes)) return std::nullopt;
  return PageRange{page_of(start), page_of(start + bytes)};
}

std::optional<PageRange> PageRange::of_guest(UserAddr start, std::uint64_t bytes) {
  if (!are_pages(start, bytes) || !is_guest_memory(start, bytes)) return std::nullopt;
  return PageRange{page_of(start), page_of(start + bytes)};
}

bool is_in_user_half(UserAddr start, std::uint64_t bytes) {
  return is_between(user_low, user_high, start, bytes);
}

bool is_guest_memory(UserAddr start, std::uint64_t bytes) {
  return is_between(0, user_high, start, bytes);
}

}  // namespace reprise
