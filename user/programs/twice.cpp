// twice: reads the hardware's random numbers, the one thing in ring 3 that differs between two runs
// and cannot be trapped. Run once (harden=none) it succeeds; hardened it must be stopped with a
// mismatch that stands, because the second run really executes and gets another number.
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"

int main(int, char**) {
  constexpr std::uint32_t has_random = 1u << 30;
  if ((user::cpuid(1).ecx & has_random) == 0) {
    user::print("twice: no RDRAND here\n");
    return 2;
  }
  std::uint64_t value = 0;
  if (!user::hardware_random(value)) {
    user::print("twice: RDRAND gave nothing\n");
    return 2;
  }
  const std::int64_t self =
      user::raw_call(REPRISE_SELF, value);  // ends the PE, value in a register
  user::print("twice: the random number went through in process ", self, ": this was run once\n");
  return 0;
}
