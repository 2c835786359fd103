#include "arch/x86_64/guest_events.hpp"

#include "arch/stepping.hpp"
#include "arch/x86_64/board.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

// INT3 and INTO as SVM reports them: exceptions, but their frames show the instruction behind them,
// which an injected exception's would not.
bool breakpoint_or_overflow(std::uint64_t event) {
  constexpr std::uint64_t breakpoint = 3, overflow = 4;
  const std::uint64_t vector = event & GuestEvent::Vector;
  return (event & GuestEvent::Type) == GuestEvent::Exception &&
         (vector == breakpoint || vector == overflow);
}

// Bochs 2.7 does not say that it was INT n: EXITINTINFO has an earlier event. But it tells there
// how far the instruction reaches, and of faults and injected events it says zero bytes. A
// processor says so of intercepted instructions alone, and 0 otherwise (AMD APM Vol. 2 §15.7.1).
bool instruction_was_on_its_way(const Vmcb& block) {
  return board.guests.next_rip_saved && block.exit_code == exit_nested_fault &&
         reprise::is_between(block.rip + 1, block.next_rip, block.rip + longest_instruction);
}

}  // namespace

std::uint8_t x86::hold_exception(Vmcb& block) {
  constexpr std::uint32_t with_error_code = bit(8) | 0x1f << 10 | bit(17) | bit(21);
  const std::uint64_t vector = block.exit_code - exit_exceptions;
  block.event = vector | GuestEvent::Exception | GuestEvent::Valid;
  if ((with_error_code >> vector & 1) != 0) {
    block.event |= GuestEvent::ErrorCode | block.exit_info_1 << 32;
  }
  if (vector == page_fault_vector) block.cr2 = block.exit_info_2;
  return static_cast<std::uint8_t>(vector);
}

bool x86::repeats_instruction(const Vmcb& block) {
  if ((block.exit_event & GuestEvent::Valid) == 0) return false;
  const bool int_n = (block.exit_event & GuestEvent::Type) == GuestEvent::SoftwareInterrupt;
  return int_n || breakpoint_or_overflow(block.exit_event) || instruction_was_on_its_way(block);
}

std::uint64_t x86::interrupted_event(const Vmcb& block) {
  const bool valid = (block.exit_event & GuestEvent::Valid) != 0;
  return valid && !repeats_instruction(block) ? block.exit_event : 0;
}

bool x86::delivers_interrupt(const Vmcb& block) {
  return (block.event & (GuestEvent::Valid | GuestEvent::Type)) == GuestEvent::Valid;
}

}  // namespace arch
