#include "kernel/memory/page_range.hpp"

#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

// One call may not keep the kernel, which nobody can preempt, busy for long.
constexpr std::uint64_t max_bytes_per_call = 16ull << 30;

}  // namespace

std::optional<PageRange> PageRange::of(UserAddr start, std::uint64_t bytes) {
  const bool aligned = ((start.value() | bytes) & (page_size - 1)) == 0;
  if (!aligned || bytes == 0 || bytes > max_bytes_per_call || !is_in_user_half(start, bytes)) {
    return std::nullopt;
  }
  return PageRange{page_of(start), page_of(start + bytes)};
}

bool is_in_user_half(UserAddr start, std::uint64_t bytes) {
  const std::uint64_t first = start.value();
  return first >= user_low && first < user_high && bytes <= user_high - first;
}

}  // namespace reprise
