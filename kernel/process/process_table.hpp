// All processes of this boot, in the order in which they were given. None is added later.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "arch/machine.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

class ProcessTable {
public:
  static constexpr std::size_t capacity = arch::max_modules;  // one program a module at most

  template <class... Arguments>
  Process& add(Arguments&&... arguments) {
    REPRISE_ASSERT(count_ < capacity);
    return slots_[count_++].emplace(static_cast<Arguments&&>(arguments)...);
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Process& operator[](std::size_t index) { return *slots_[index]; }

private:
  std::array<std::optional<Process>, capacity> slots_{};
  std::size_t count_ = 0;
};

}  // namespace reprise
