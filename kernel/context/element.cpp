#include "kernel/context/element.hpp"

#include "arch/clock.hpp"
#include "arch/fault.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/memory_map.hpp"

namespace reprise {

using arch::Register;
using arch::Trap;

namespace {

// A write fault is an end, too, before its page is looked up.
KernelEvent::Kind kind_of(const Trap& trap, const arch::UserState& state) {
  using Kind = KernelEvent::Kind;
  if (trap.kind == Trap::Kind::MachineCheck) return Kind::MachineCheck;
  if (arch::control_bits_corrupt(state)) return Kind::ControlBits;
  switch (trap.kind) {
    case Trap::Kind::Timer: return Kind::Timer;
    case Trap::Kind::Counter: return Kind::Counter;
    case Trap::Kind::Step: return Kind::Step;
    case Trap::Kind::Break: return Kind::Break;
    default: return Kind::End;
  }
}

}  // namespace

const dwc::PeEnd* ElementRunner::run(Nanoseconds limit) {
  if (!context_.guest_) context_.space_.table().activate();
  if (!context_.hardening_) {
    context_.figures.last_end = run_once(limit);
  } else {
    const bool committed = run_twice(*context_.hardening_);
    if (!committed) return nullptr;
    context_.figures.last_end = context_.engine().end();
  }
  ++context_.figures.elements;
  return &context_.figures.last_end;
}

// False: the engine gave up.
bool ElementRunner::run_twice(Hardening& hardening) {
  Engine& engine = hardening.engine();
  KernelCore& core = hardening.core();
  engine.begin();
  for (;;) {
    const Trap trap = next_trap(core);
    switch (engine.handle(event_of(trap, core.registers()))) {
      case dwc::Next::Resume: continue;
      case dwc::Next::Serve: return true;
      case dwc::Next::Stop: return false;
    }
  }
}

// Without a second run any instruction will do as an end: the time limit needs no convergence.
dwc::PeEnd ElementRunner::run_once(Nanoseconds limit) {
  const Nanoseconds begin = arch::now();
  arch::arm_timer(limit);
  arch::load_rest(context_.live());
  const dwc::PeEnd end = run_to_end();
  arch::arm_timer({});
  arch::save_rest(context_.live());
  context_.figures.user_time += arch::now().value() - begin.value();
  return end;
}

// Gives each page that is written to a frame of its own, until another trap comes.
dwc::PeEnd ElementRunner::run_to_end() {
  for (;;) {
    const Trap trap = next_trap();
    dwc::PeEnd end = end_of(trap);
    if (trap.kind == Trap::Kind::Timer) end = {.kind = dwc::PeEnd::Kind::Watchdog};
    const std::optional<arch::Leaf> page = protected_page(context_.space_, trap);
    if (!page) return end;
    if (context_.space_.own(page->page(), arch::WriteAccess::Enabled)) continue;
    end.kind = dwc::PeEnd::Kind::OutOfFrames;
    return end;
  }
}

// The next trap that means something. Nobody waits for the counter: a stop by it is a stale one.
Trap ElementRunner::next_trap() {
  arch::UserState& state = context_.live();
  for (;;) {
    const Trap trap = arch::run_user(state);
    if (!handled_by_kernel(trap, state) && trap.kind != Trap::Kind::Counter) return trap;
  }
}

// The same while the engine runs the context. Any trap ends a step. A trap at the address that a
// search waits for counts as an arrival, because to enter there does not trap.
Trap ElementRunner::next_trap(KernelCore& core) {
  arch::UserState& state = core.registers();
  for (;;) {
    const Trap trap = arch::run_user(state);
    const bool stepping = core.end_step();
    const bool handled = handled_by_kernel(trap, state) || stopped_for_observer(core, trap);
    if (!handled) return trap;
    if (stepping) return {.kind = Trap::Kind::Step};
    if (core.stands_at_break()) return {.kind = Trap::Kind::Break};
  }
}

// Deals with a trap that concerns only the kernel. False: the program, or the engine, has to know.
bool ElementRunner::handled_by_kernel(const Trap& trap, arch::UserState& state) {
  if (arch::control_bits_corrupt(state)) return false;
  switch (trap.kind) {
    case Trap::Kind::NonMaskable: ++context_.figures.non_maskable; return true;
    case Trap::Kind::Device: return true;
    case Trap::Kind::SystemCall: return redirect_to_personality(state);
    default: return false;
  }
}

// The counter stops a run for the observer, too: at a flip. Then the run goes on.
bool ElementRunner::stopped_for_observer(KernelCore& core, const Trap& trap) {
  if (trap.kind != Trap::Kind::Counter) return false;
  if (arch::control_bits_corrupt(core.registers())) return false;
  return core.stopped_for_observer();
}

// A program's SYSCALL beside a personality goes on in the personality, within the same PE.
bool ElementRunner::redirect_to_personality(arch::UserState& state) {
  if (context_.syscall_entry.value() == 0) return false;
  const std::uint64_t rip = state[Register::Rip];
  if (in_personality(rip)) return false;
  state[Register::Rcx] = rip;
  state[Register::R11] = state[Register::Rflags];
  state[Register::Rip] = context_.syscall_entry.value();
  return true;
}

KernelEvent ElementRunner::event_of(const Trap& trap, const arch::UserState& state) const {
  KernelEvent event{.kind = kind_of(trap, state), .end = end_of(trap)};
  if (event.kind == KernelEvent::Kind::End && trap.kind == Trap::Kind::Exception) {
    if (const auto page = protected_page(context_.space_, trap)) {
      event.kind = KernelEvent::Kind::WriteFault;
      event.page = *page;
    }
  }
  return event;
}

std::optional<arch::Leaf> protected_page(const AddressSpace& space, const Trap& trap) {
  if (trap.fault() != arch::FaultKind::WriteProtected || trap.fault_address >= user_high) {
    return std::nullopt;
  }
  const auto leaf = space.table().leaf(page_of(UserAddr{trap.fault_address}));
  if (!leaf || !leaf->may_write()) return std::nullopt;
  return leaf;
}

dwc::PeEnd end_of(const Trap& trap) {
  if (trap.kind == Trap::Kind::SystemCall) return {.kind = dwc::PeEnd::Kind::SystemCall};
  const bool exit = trap.kind == Trap::Kind::Exit;
  return {.kind = exit ? dwc::PeEnd::Kind::Exit : dwc::PeEnd::Kind::Exception,
          .vector = trap.vector,
          .error_code = trap.error_code,
          .fault_address = trap.fault_address};
}

}  // namespace reprise
