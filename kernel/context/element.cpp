#include "kernel/context/element.hpp"

#include "arch/clock.hpp"
#include "arch/fault.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/log/line.hpp"

namespace reprise {
namespace {

using arch::Register;
using arch::Trap;
using Event = dwc::Event<KernelSpace::Page>;

// A program's SYSCALL beside a personality: goes on in the personality, within the same PE.
bool redirect_to_personality(Process& process) {
  if (process.syscall_entry.value() == 0) return false;
  arch::UserState& state = process.registers();
  const std::uint64_t rip = state[Register::Rip];
  if (rip >= personality_base && rip < personality_end) return false;
  state[Register::Rcx] = rip;
  state[Register::R11] = state[Register::Rflags];
  state[Register::Rip] = process.syscall_entry.value();
  return true;
}

// What stops a run without being its end is called alike.
static_assert(static_cast<Event::Kind>(Trap::Kind::Timer) == Event::Kind::Timer &&
              static_cast<Event::Kind>(Trap::Kind::Counter) == Event::Kind::Counter &&
              static_cast<Event::Kind>(Trap::Kind::Step) == Event::Kind::Step &&
              static_cast<Event::Kind>(Trap::Kind::Break) == Event::Kind::Break);

Event event_of(Process& process, const Trap& trap) {
  Event event{};
  event.end = end_of(trap);
  if (trap.kind == Trap::Kind::MachineCheck) {
    event.kind = Event::Kind::MachineCheck;
  } else if (arch::control_bits_corrupt(process.registers())) {
    event.kind = Event::Kind::ControlBits;
  } else if (trap.kind >= Trap::Kind::Timer && trap.kind <= Trap::Kind::Break) {
    event.kind = static_cast<Event::Kind>(trap.kind);
  } else if (const std::optional<PageNumber> page = protected_page(process, trap)) {
    event.kind = Event::Kind::WriteFault;
    event.page = *page;
  } else {
    event.kind = Event::Kind::End;
  }
  return event;
}

// What concerns only the kernel is done here. False: the program, or the engine, has to know.
bool settled(Process& process, const Trap& trap) {
  if (arch::control_bits_corrupt(process.registers())) return false;
  switch (trap.kind) {
    case Trap::Kind::NonMaskable: tell("nmi"); return true;
    case Trap::Kind::Device: return true;
    case Trap::Kind::SystemCall: return redirect_to_personality(process);
    case Trap::Kind::Counter: return process.core().stopped_for_flip();
    default: return false;
  }
}

// The next trap that means something. A step is over with any trap, however little it means.
Trap next_trap(Process& process) {
  for (;;) {
    const Trap trap = arch::run_user(process.registers());
    const bool stepping = process.core().end_step();
    if (!settled(process, trap)) return trap;
    if (stepping) return {.kind = Trap::Kind::Step};
    if (trap.kind == Trap::Kind::SystemCall && process.core().moved_to_break())
      return {.kind = Trap::Kind::Break};
  }
}

std::optional<dwc::PeEnd> run_twice(Process& process) {
  Engine& engine = process.engine();
  engine.begin();
  for (;;) {
    const Trap trap = next_trap(process);
    switch (engine.handle(event_of(process, trap))) {
      case dwc::Next::Resume: continue;
      case dwc::Next::Serve: return engine.end();
      case dwc::Next::Stop: return std::nullopt;
    }
  }
}

// Without a second run any instruction will do as an end: the time limit needs no convergence.
dwc::PeEnd run_once(Process& process, Nanoseconds limit) {
  const Nanoseconds begin = arch::now();
  arch::arm_timer(limit);
  arch::load_rest(process.registers());
  Trap trap;
  dwc::PeEnd end;
  std::optional<PageNumber> page;
  do {
    trap = next_trap(process);
    end = end_of(trap);
    page = protected_page(process, trap);
  } while (page && process.space().own(*page, arch::WriteAccess::Enabled));
  if (page) end.kind = dwc::PeEnd::Kind::OutOfFrames;
  arch::arm_timer({});
  arch::save_rest(process.registers());
  if (trap.kind == Trap::Kind::Timer) end = {dwc::PeEnd::Kind::Watchdog, 0, 0, 0};
  process.report.user_time += arch::now().value() - begin.value();
  return end;
}

}  // namespace

std::optional<PageNumber> protected_page(Process& process, const Trap& trap) {
  if (trap.fault() != arch::FaultKind::WriteProtected || trap.fault_address >= user_high) {
    return std::nullopt;
  }
  const PageNumber page = page_of(UserAddr{trap.fault_address});
  const std::optional<arch::Mapping> mapping = process.space().table().find(page);
  if (!mapping || !mapping->permissions.write) return std::nullopt;
  return page;
}

dwc::PeEnd end_of(const Trap& trap) {
  if (trap.kind == Trap::Kind::SystemCall) return {dwc::PeEnd::Kind::SystemCall, 0, 0, 0};
  return {dwc::PeEnd::Kind::Exception, trap.vector, trap.error_code, trap.fault_address};
}

std::optional<dwc::PeEnd> run_element(Process& process, Nanoseconds limit) {
  process.space().table().activate();
  const std::optional<dwc::PeEnd> end =
      process.hardened() ? run_twice(process) : run_once(process, limit);
  if (end) ++process.report.elements;
  return end;
}

}  // namespace reprise
