// twice [LOOPS [long]]: reads the hardware's random numbers, which differ between two runs and
// cannot be trapped in ring 3. Run once (harden=none) it succeeds; hardened it must be stopped with
// a mismatch that stands, because the second run really executes and gets another number. With
// LOOPS it counts that far before it reads the number, and again behind it, without a call in
// between. Then the time limit ends the processing element. With `long` it goes on for ever with
// instructions that each take long.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t place = 0x200000000, place_bytes = 256 << 20;  // for what takes long

void count(std::uint64_t loops) {
  for (std::uint64_t i = 0; i < loops; ++i) user::compiler_barrier();
}

// Repetitions over all of these pages without end.
[[noreturn]] void scan(std::uint64_t random) {
  for (;;) {
    std::uint64_t from = place, left = place_bytes, value = 0;
    asm volatile("rep lodsb" : "+S"(from), "+c"(left), "+a"(value) : "b"(random) : "memory");
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint32_t has_random = 1u << 30;
  if ((user::cpuid(1).ecx & has_random) == 0) {
    user::print("twice: no RDRAND here\n");
    return 2;
  }
  const std::uint64_t loops = user::number_argument(argc, argv, 1, 0);
  const bool scans = user::text_argument(argc, argv, 2) == "long";
  if (scans) REPRISE_CHECK(user::map(place, place_bytes, REPRISE_PROTECT_READ) == 0);
  count(loops);
  std::uint64_t value = 0;
  if (!user::hardware_random(value)) {
    user::print("twice: RDRAND gave nothing\n");
    return 2;
  }
  if (scans) scan(value);
  count(10 * loops);
  const std::int64_t self =
      user::raw_call(REPRISE_SELF, value);  // ends the PE, value in a register
  user::print("twice: the random number went through in process ", self, ": this was run once\n");
  return 0;
}
