// What a process may reach of the machine's devices, as the boot command line gives it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/abi/init.hpp"

namespace reprise {

class Grants {
public:
  static constexpr std::size_t capacity = most_grants;
  static constexpr std::uint64_t most_lines = 32;  // interrupt lines, one bit each

  // False when there is no room. An interrupt line must be below most_lines.
  [[nodiscard]] bool add(const reprise_grant& grant) {
    if (count_ == capacity) return false;
    grants_[count_] = grant;
    ++count_;
    if (grant.kind != REPRISE_GRANT_INTERRUPT) return true;
    for (std::uint64_t line = grant.first; line <= grant.last; ++line) lines_ |= 1u << line;
    return true;
  }

  // Whether one grant covers all of [first, last].
  [[nodiscard]] bool allow(reprise_grant_kind kind, std::uint64_t first, std::uint64_t last) const {
    for (std::size_t i = 0; i < count_; ++i) {
      const reprise_grant& g = grants_[i];
      if (g.kind == kind && g.first <= first && first <= last && last <= g.last) return true;
    }
    return false;
  }

  [[nodiscard]] std::uint32_t lines() const { return lines_; }  // bit n: interrupt line n

private:
  std::array<reprise_grant, capacity> grants_{};
  std::size_t count_ = 0;
  std::uint32_t lines_ = 0;
};

}  // namespace reprise
