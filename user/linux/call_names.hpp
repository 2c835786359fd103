#pragma once

#include <cstdint>
#include <string_view>

namespace personality {

[[nodiscard]] std::string_view call_name(std::uint64_t number);  // "unknown" where there is none

}  // namespace personality
