// The bit maps of ports and MSRs that all guests share: their physical addresses.
#pragma once

#include <cstdint>

namespace arch::x86 {

[[nodiscard]] std::uint64_t msr_map();
[[nodiscard]] std::uint64_t io_map();

}  // namespace arch::x86
