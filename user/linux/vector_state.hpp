// x87, SSE, AVX and AVX-512 state of the program, saved beside a signal frame. The personality's
// own code has no vector instructions, so the registers hold the program's values all the time.
#pragma once

#include <cstdint>

#include "user/linux/user_memory.hpp"

namespace personality {

[[nodiscard]] std::uint64_t vector_state_bytes();  // of the area, which is aligned to 64
[[nodiscard]] bool vector_state_extended();        // XSAVE rather than FXSAVE
[[nodiscard]] bool save_vector_state(UserAddress area);
[[nodiscard]] bool load_vector_state(UserAddress area);  // null: nothing to load

}  // namespace personality
