// Whole pages of the user half, or of a guest. An empty range, or one that leaves the user half,
// cannot be made.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/base/address.hpp"

namespace reprise {

class PageRange {
public:
  // Address and size must be multiples of the page size; the size may not be 0.
  [[nodiscard]] static std::optional<PageRange> of(UserAddr start, std::uint64_t bytes);
  // Of a guest's memory, which begins at 0.
  [[nodiscard]] static std::optional<PageRange> of_guest(UserAddr start, std::uint64_t bytes);
  [[nodiscard]] PageNumber first() const { return first_; }
  [[nodiscard]] PageNumber end() const { return end_; }

private:
  PageRange(PageNumber first, PageNumber end) : first_{first}, end_{end} {}
  PageNumber first_, end_;
};

// Whether all the bytes lie in the user half, or in what a guest's memory can be.
[[nodiscard]] bool is_in_user_half(UserAddr start, std::uint64_t bytes);
[[nodiscard]] bool is_guest_memory(UserAddr start, std::uint64_t bytes);

}  // namespace reprise
