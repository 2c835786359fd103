// A machine with three registers. The parsers ask it which names exist.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace test {

inline constexpr std::size_t xmm3_high = 59;

inline std::optional<std::size_t> word_named(std::string_view name) {
  if (name == "rax") return 0;
  if (name == "rip") return 16;
  if (name == "rflags") return 17;
  if (name == "xmm3.1") return xmm3_high;
  return std::nullopt;
}

}  // namespace test
