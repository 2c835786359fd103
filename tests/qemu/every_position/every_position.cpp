// The kernel, but the time limit ends the first run of each PE of a guest behind its first
// instruction: so every position that the guest passes through is one where both runs have to stop,
// unless the PE ends otherwise there. For guest tests, with the counter `icount` and pe.restarts=0.
//
// At the machine's end it says on the second serial line where PEs began, as lines of words
// (numbers without 0x are decimal):
//   position 0xRIP TIME OTHER SHADOW RESUME PAGE
//   stints STOPPED EMPTY LONG HANDLERS
// TIME, OTHER: PEs that began there behind one that time ended, and behind any other. SHADOW,
// RESUME, PAGE: first runs that went on there although they had stopped, in a shadow or just
// behind, with the resume flag, and at the first instruction of a page. STOPPED: stays in first
// runs that time ended; of them EMPTY had no instruction, LONG more than they should, and HANDLERS
// ended at the first instruction of an exception's handler.
//
// Linked from the kernel's own objects, main.cpp among them; two functions are wrapped.
#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/timer.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/guest_events.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/guest_traps.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/registers.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "kernel/base/text_line.hpp"
#include "kernel/the_machine.hpp"
#include "tests/qemu/guest_in_first_run.hpp"

namespace every_position {
namespace {

using namespace reprise;
using arch::Register;
using arch::x86::bit;
using arch::x86::Vmcb;
using PeKind = dwc::PeEnd::Kind;

struct Position {
  std::uint64_t rip = 0, by_time = 0, otherwise = 0, shadow = 0, resume = 0, page = 0;
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
  std::uint64_t stopped = 0, empty = 0, longer = 0, handlers = 0;
};
constinit Stints stints{};

// Instructions from the timer's start to the guest: learnt from below, so that no run is too long,
// until the first run that has an instruction. Behind another kind of stop a run may come to
// nothing, as its timer ran out while the kernel was at work. Nothing is learnt from that one.
struct Way {
  std::uint64_t instructions = 1;
  bool known = false;
};
constinit std::array<Way, 2> ways{};  // armed breakpoints make it longer
constinit bool timer_may_be_over = false;

constinit std::uint64_t pe = 0, ended_by_time = 0;

constexpr std::uint64_t image_start = 0x100000;  // of the test guest
constinit std::array<bool, 32> entered{};        // by page

Vmcb& block_of(const Context& context) { return context.registers().virtual_cpu->block(); }

Way& way_of(const Context& context) {
  return ways[(block_of(context).dr7 & arch::x86::Dr7::Enabled) != 0 ? 1 : 0];
}

void note_begin(const Context& context, std::uint64_t rip) {
  const Engine& engine = context.engine();
  if (engine.pe_number() == pe) return;
  pe = engine.pe_number();
  const std::uint64_t by_time =
      engine.statistics().by_end[static_cast<std::size_t>(PeKind::TimeLimit)];
  Position& here = position_at(rip);
  ++(by_time != ended_by_time ? here.by_time : here.otherwise);
  ended_by_time = by_time;
}

// The first instruction of a page that the guest has not been in before, with paging on. QEMU 7.2
// sets the page's accessed bit before a run is stopped there by time, but not before one is stopped
// there by a breakpoint.
bool enters_page(const Vmcb& block) {
  if ((block.cr0 & arch::x86::Cr0::Pg) == 0) return false;
  const std::uint64_t page = (block.rip - image_start) / page_size;
  if (page >= entered.size() || entered[page]) return false;
  entered[page] = true;
  return true;
}

void note_stop(const Context& context, const arch::x86::GuestSwitch& s) {
  Vmcb& block = block_of(context);
  const bool learns = !timer_may_be_over;
  timer_may_be_over = block.exit_code != arch::x86::exit_interrupt;
  if (timer_may_be_over) return;
  const std::uint64_t between = s.exit_stamp - s.entry_stamp;
  const std::uint64_t count = between - arch::x86::instructions_of_switch;
  ++stints.stopped;
  Way& way = way_of(context);
  if (count > 1) ++stints.longer;
  if (count == 0) {
    ++stints.empty;
    if (learns && !way.known) ++way.instructions;
    return;
  }
  way.known = true;
  Position& here = position_at(block.rip);
  // Each stop counts once, so that the test can tell whether there was one each time.
  if (enters_page(block)) {
    ++here.page;
    block.shadow = 1;  // so the kernel lets it go on
  } else if ((block.shadow & 1) != 0) {
    ++here.shadow;
  } else if ((block.rflags & arch::x86::Rflags::Rf) != 0) {
    ++here.resume;
  }
}

// The kernel has stepped over the one instruction behind STI or MOV SS, and the run goes on.
void note_own_stop(const Context& context) { ++position_at(block_of(context).rip).shadow; }

// Exceptions that an instruction finds while it is carried out, the guest's breakpoints and some
// invalid opcodes among them. QEMU 7.2 counts no instruction for one, so no timer can run out
// between it and its handler.
constexpr std::uint32_t uncounted_exceptions = static_cast<std::uint32_t>(
    bit(0) | bit(1) | bit(6) | bit(10) | bit(11) | bit(12) | bit(13) | bit(14));

bool found_exception(const Vmcb& block) {
  if (!arch::x86::is_exception(block.exit_code)) return false;
  return (uncounted_exceptions >> (block.exit_code - arch::x86::exit_exceptions) & 1) != 0;
}

bool delivers_exception(const Vmcb& block) {
  using arch::x86::GuestEvent;
  return (block.event & (GuestEvent::Valid | GuestEvent::Type)) ==
         (GuestEvent::Valid | GuestEvent::Exception);
}

void tell() {
  arch::start_second_serial();
  for (const Position& position : positions) {
    if (position.rip == 0) continue;
    TextLine line{"position ", Hex{position.rip}, " ", position.by_time, " ", position.otherwise,
                  " ",         position.shadow,   " ", position.resume,  " ", position.page,
                  "\n"};
    arch::write_second_serial(line.view());
  }
  TextLine line{"stints ", stints.stopped,  " ", stints.empty, " ", stints.longer,
                " ",       stints.handlers, "\n"};
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

namespace every_position {
namespace {

// An interrupt that waits at the guest's entry stops it behind the delivery of an event.
void enter_up_to_handler(arch::x86::GuestSwitch* s) {
  ++stints.handlers;
  arch::arm_timer(Nanoseconds{1});
  real_enter_guest(s);
}

// Whether a fault comes at the first instruction shows when it is an exit.
void enter_for_one_instruction(const Context& context, arch::x86::GuestSwitch* s) {
  Vmcb& block = block_of(context);
  if (delivers_exception(block)) return enter_up_to_handler(s);
  block.exceptions |= uncounted_exceptions;
  arch::arm_timer(Nanoseconds{way_of(context).instructions + 1});
  real_enter_guest(s);
  if (!found_exception(block)) return note_stop(context, *s);
  arch::x86::hold_exception(block);
  enter_up_to_handler(s);
}

}  // namespace
}  // namespace every_position

void wrapped_enter_guest(arch::x86::GuestSwitch* s) {
  using namespace every_position;
  const std::uint64_t rip = s->general[static_cast<std::size_t>(Register::Rip)];
  // The kernel itself asks for a number of instructions: its way has to be the same in both runs.
  const bool stops = arch::x86::this_cpu().counting.stop != 0;
  if (stops) real_enter_guest(s);
  const reprise::Context* const context = reprise::guest_in_first_run();
  if (context != nullptr) note_begin(*context, rip);
  if (context != nullptr && stops) note_own_stop(*context);
  if (stops) return;
  if (context == nullptr) return real_enter_guest(s);
  enter_for_one_instruction(*context, s);
}

void wrapped_exit_machine(reprise::ExitCode code) {
  every_position::tell();
  real_exit_machine(code);
}
