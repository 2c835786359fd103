// Randomness for programs.
#pragma once

#include <cstdint>

namespace arch {

[[nodiscard]] std::uint64_t entropy();  // RDSEED, RDRAND, else a mixed time stamp

}  // namespace arch
