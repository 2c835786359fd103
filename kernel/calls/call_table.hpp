// A table of calls by number, made from named entries: their order does not matter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/base/assert.hpp"
#include "kernel/calls/call.hpp"

namespace reprise {

struct CallEntry {
  std::uint64_t number;  // REPRISE_...
  CallHandler handler;
};

// For the numbers from First to Last. A number without an entry has no handler.
template <std::uint64_t First, std::uint64_t Last>
class CallTable {
public:
  // Does not compile with a number out of range, or with two entries for one number.
  template <std::size_t Count>
  explicit consteval CallTable(const std::array<CallEntry, Count>& entries) {
    for (const CallEntry& entry : entries) {
      CallHandler& slot = handlers_.at(entry.number - First);
      REPRISE_ASSERT(slot == nullptr);
      slot = entry.handler;
    }
  }

  // Nothing: there is no such call.
  [[nodiscard]] constexpr CallHandler find(std::uint64_t number) const {
    const bool known = First <= number && number <= Last;
    return known ? handlers_[number - First] : nullptr;
  }

private:
  std::array<CallHandler, Last - First + 1> handlers_{};
};

}  // namespace reprise
