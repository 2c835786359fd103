// A broken contract between the engine and its caller: nothing sensible can follow, so the program
// traps on the spot (in the kernel an invalid-opcode exception, which panics).
#pragma once

namespace dwc {

constexpr void require(bool kept) {
  if (!kept) __builtin_trap();
}

}  // namespace dwc
