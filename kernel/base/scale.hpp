// Ticks of one clock in those of another.
#pragma once

#include <cstdint>

namespace reprise {

// ticks * hertz / of, exact as long as of * hertz fits into 64 bits, whatever `ticks` is.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t ticks, std::uint64_t hertz,
                                            std::uint64_t of) {
  return of == 0 ? 0 : ticks / of * hertz + ticks % of * hertz / of;
}

}  // namespace reprise
