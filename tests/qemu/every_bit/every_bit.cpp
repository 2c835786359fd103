// The kernel, but every bit of a guest's registers flips once at the end of a first run and once at
// the end of a second one: a few flips in each PE, one in each attempt, until all have struck. The
// registers are the general ones, RIP and RFLAGS, the extended state as XSAVE or FXSAVE stores it,
// and those that arch/guest_state.hpp names. For guest tests; init tells each flip's fate as for
// inject=.
//
// Linked from the kernel's own objects, main.cpp among them; only arm_timer() is wrapped.
#include <cstdint>

#include "arch/guest_state.hpp"
#include "arch/timer.hpp"
#include "arch/x86_64/board.hpp"
#include "kernel/the_machine.hpp"
#include "tests/qemu/guest_in_first_run.hpp"

namespace every_bit {
namespace {

using namespace reprise;

constexpr std::uint64_t attempts_of_a_pe = 8;  // needs pe.restarts=9 or more
constexpr std::uint64_t bits = 64, runs = 2;
// The general registers, RIP and RFLAGS. What follows them is a program's only.
constexpr std::uint64_t general_registers = static_cast<std::uint64_t>(arch::Register::Rflags) + 1;
constexpr std::uint64_t guest_registers = static_cast<std::uint64_t>(arch::GuestWord::count);

std::uint64_t extended_registers() { return arch::x86::board.extended_state.words; }
std::uint64_t flips() {
  return (general_registers + extended_registers() + guest_registers) * bits * runs;
}

constinit std::uint64_t next = 0;      // flip
constinit std::uint64_t attempts = 0;  // first runs that had begun when the last one was planned
constinit std::uint64_t pe = 0, planned_in_pe = 0;

// Of the k-th register, in the words of a UserState.
std::uint64_t word_of(std::uint64_t k) {
  if (k < general_registers) return k;
  const std::uint64_t behind_general = k - general_registers;
  if (behind_general < extended_registers()) return arch::general_words + behind_general;
  return arch::general_words + arch::extended_words + behind_general - extended_registers();
}

Injection flip_number(std::uint64_t number, std::uint64_t element) {
  const std::uint64_t bit = number / runs;
  return {.element = element,
          .run = 1 + number % runs,
          .word = word_of(bit / bits),
          .bit = bit % bits,
          .moment = Injection::Moment::End};
}

// An injector without a flip is not asked at a run's end, and that is decided at its beginning. So
// there is always one, in a PE that never comes.
void keep_awake(Context& guest) {
  Injection never = flip_number(0, ~std::uint64_t{0});
  never.process = guest.number();
  static_cast<void>(guest.injector.plan(never));
}

// For the attempt that begins.
void plan(Context& guest) {
  const Engine& engine = guest.engine();
  const std::uint64_t first_runs = engine.statistics().first_runs;
  if (attempts == 0) keep_awake(guest);
  if (next == flips() || first_runs == attempts) return;
  const bool awake = attempts != 0;
  attempts = first_runs;
  if (!awake) return;
  if (engine.pe_number() != pe) planned_in_pe = 0;
  pe = engine.pe_number();
  if (planned_in_pe == attempts_of_a_pe) return;
  Injection flip = flip_number(next, pe);
  flip.process = guest.number();
  if (!guest.injector.plan(flip)) return;
  ++next;
  ++planned_in_pe;
}

}  // namespace
}  // namespace every_bit

// Takes the place of arch::arm_timer() (the linker's --wrap).
void real_arm_timer(reprise::Nanoseconds duration) asm(
    "__real__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");
void wrapped_arm_timer(reprise::Nanoseconds duration) asm(
    "__wrap__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");

void wrapped_arm_timer(reprise::Nanoseconds duration) {
  if (duration.value() != 0) {
    if (reprise::Context* const guest = reprise::guest_in_first_run()) every_bit::plan(*guest);
  }
  real_arm_timer(duration);
}
