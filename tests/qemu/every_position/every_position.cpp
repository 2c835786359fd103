// The kernel, but the time limit ends the first run of each PE of a guest behind its first
// instruction: so every position that the guest passes through is one where both runs have to stop,
// unless the PE ends otherwise there. A restarted PE gets one instruction more each time. For guest
// tests, with the counter `icount`.
//
// At the machine's end it says on the second serial line where PEs began, as lines of words
// (numbers without 0x are decimal):
//   position 0xRIP TIME OTHER SHADOW REDONE
//   stints STOPPED EMPTY LONG
// TIME, OTHER: PEs that began there behind one that time ended, and behind any other. SHADOW: first
// runs that went on there although they had stopped, in a shadow or just behind. REDONE: attempts
// that ended there and were mismatches. STOPPED: stays in first runs that time ended; of them EMPTY
// had no instruction, and LONG more than they should.
//
// Linked from the kernel's own objects, main.cpp among them; two functions are wrapped.
#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/timer.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "kernel/base/text_line.hpp"
#include "kernel/the_machine.hpp"
#include "tests/qemu/guest_in_first_run.hpp"

namespace every_position {
namespace {

using namespace reprise;
using arch::Register;
using PeKind = dwc::PeEnd::Kind;

struct Position {
  std::uint64_t rip = 0, by_time = 0, otherwise = 0, passed = 0, redone = 0;
};

constinit std::array<Position, 4096> positions{};
constinit std::size_t used = 0;

// Positions beyond the table's end share its last entry, which has no RIP.
Position& position_at(std::uint64_t rip) {
  for (std::size_t i = rip % positions.size();; i = (i + 1) % positions.size()) {
    if (positions[i].rip == rip) return positions[i];
    if (positions[i].rip != 0) continue;
    if (used + 1 < positions.size()) {
      ++used;
      positions[i].rip = rip;
    }
    return positions[i];
  }
}

struct Stints {
  std::uint64_t stopped = 0, empty = 0, longer = 0;
};
constinit Stints stints{};

// Instructions from the timer's start to the guest: learnt from below, so that no run is too long,
// until the first run that has an instruction. What comes to nothing later was ended by a timer
// that ran out while the kernel was at work.
struct Way {
  std::uint64_t instructions = 1;
  bool known = false;
};
constinit std::array<Way, 2> ways{};  // armed breakpoints make it longer

constinit std::uint64_t pe = 0, ended_by_time = 0;
constinit std::uint64_t attempts = 0;  // first runs so far
constinit std::uint64_t length = 1;    // instructions of the first run under way
constinit std::uint64_t stopped_at = 0;

Way& way_of(const Context& context) {
  return ways[(context.registers().virtual_cpu->block().dr7 & 0xff) != 0 ? 1 : 0];
}

void note_begin(const Context& context, std::uint64_t rip) {
  const Engine& engine = context.engine();
  const bool another_attempt = engine.statistics().first_runs != attempts;
  attempts = engine.statistics().first_runs;
  if (engine.pe_number() == pe) {
    if (!another_attempt) return;
    ++length;
    ++position_at(stopped_at).redone;
    return;
  }
  pe = engine.pe_number();
  length = 1;
  const std::uint64_t by_time =
      engine.statistics().by_end[static_cast<std::size_t>(PeKind::TimeLimit)];
  Position& here = position_at(rip);
  ++(by_time != ended_by_time ? here.by_time : here.otherwise);
  ended_by_time = by_time;
}

void note_stop(const Context& context, const arch::x86::GuestSwitch& s) {
  constexpr std::uint64_t exit_interrupt = 0x60;
  const arch::x86::Vmcb& block = context.registers().virtual_cpu->block();
  if (block.exit_code != exit_interrupt) return;
  const std::uint64_t between = s.exit_stamp - s.entry_stamp;
  const std::uint64_t count = between - arch::x86::instructions_of_switch;
  ++stints.stopped;
  if (count > length) ++stints.longer;
  stopped_at = block.rip;
  Way& way = way_of(context);
  if (count == 0) {
    ++stints.empty;
    if (!way.known) ++way.instructions;
    return;
  }
  way.known = true;
  if ((block.shadow & 1) != 0) ++position_at(block.rip).passed;
}

// The kernel has stepped over the one instruction behind STI or MOV SS, and the run goes on.
void note_own_stop(const Context& context) {
  ++position_at(context.registers().virtual_cpu->block().rip).passed;
}

void tell() {
  arch::start_second_serial();
  for (const Position& position : positions) {
    if (position.rip == 0) continue;
    TextLine line{"position ", Hex{position.rip}, " ", position.by_time, " ", position.otherwise,
                  " ",         position.passed,   " ", position.redone,  "\n"};
    arch::write_second_serial(line.view());
  }
  TextLine line{"stints ", stints.stopped, " ", stints.empty, " ", stints.longer, "\n"};
  arch::write_second_serial(line.view());
}

}  // namespace
}  // namespace every_position

// Takes the places of the way into a guest and of the machine's end (the linker's --wrap).
void real_enter_guest(arch::x86::GuestSwitch* s) asm("__real_enter_guest");
void wrapped_enter_guest(arch::x86::GuestSwitch* s) asm("__wrap_enter_guest");
[[noreturn]] void real_exit_machine(reprise::ExitCode code) asm(
    "__real__ZN4arch12exit_machineEN7reprise8ExitCodeE");
[[noreturn]] void wrapped_exit_machine(reprise::ExitCode code) asm(
    "__wrap__ZN4arch12exit_machineEN7reprise8ExitCodeE");

void wrapped_enter_guest(arch::x86::GuestSwitch* s) {
  using namespace every_position;
  const std::uint64_t rip = s->general[static_cast<std::size_t>(Register::Rip)];
  // The kernel itself asks for a number of instructions: its way has to be the same in both runs.
  const bool stops = arch::x86::this_cpu().counting.stop != 0;
  if (stops) real_enter_guest(s);
  const reprise::Context* const context = reprise::guest_in_first_run();
  if (context != nullptr) note_begin(*context, rip);
  if (stops) {
    if (context != nullptr) note_own_stop(*context);
    return;
  }
  if (context != nullptr) {
    arch::arm_timer(reprise::Nanoseconds{way_of(*context).instructions + length});
  }
  real_enter_guest(s);
  if (context != nullptr) note_stop(*context, *s);
}

void wrapped_exit_machine(reprise::ExitCode code) {
  every_position::tell();
  real_exit_machine(code);
}
