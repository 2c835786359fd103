#include "kernel/guest/stops.hpp"

#include <span>

#include "arch/guest_state.hpp"
#include "arch/user_state.hpp"
#include "arch/virtual_cpu.hpp"
#include "kernel/abi/guest.h"
#include "kernel/base/assert.hpp"
#include "kernel/context/gate.hpp"

namespace reprise {
namespace {

using arch::GuestExit;
using arch::GuestWord;
using arch::Register;
using Kind = dwc::PeEnd::Kind;

constexpr std::uint64_t invalid_opcode = REPRISE_EVENT_EXCEPTION | 6;
constexpr std::uint64_t general_protection =
    REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13;

std::uint64_t time_of(const Context& context) { return context.guest()->time(context.own_time()); }

// What the guest stands at. The registers that matter to the reasons are always told.
reprise_guest_run stop_at(const Context& context, reprise_guest_reason reason) {
  const arch::UserState& state = context.registers();
  reprise_guest_run run{};
  run.rax = state[Register::Rax];
  run.rbx = state[Register::Rbx];
  run.rcx = state[Register::Rcx];
  run.rdx = state[Register::Rdx];
  run.rip = state[Register::Rip];
  run.reason = reason;
  run.ready = arch::takes_interrupts(state) ? 1 : 0;
  run.time = time_of(context);
  return run;
}

// The monitor goes on; the guest waits for it.
void tell_monitor(ProcessTable& processes, Context& guest, const reprise_guest_run& run) {
  if (guest.status != ContextStatus::Ended) guest.status = ContextStatus::AtMonitor;
  Process* const monitor = processes.find(guest.guest()->monitor);
  const UserAddr place = guest.guest()->run;
  guest.guest()->run = {};
  if (place == UserAddr{} || monitor == nullptr || monitor->has_ended()) return;
  const Outcome written =
      Gate{monitor->context()}.write_bytes(place, std::as_bytes(std::span{&run, 1}));
  REPRISE_ASSERT(written);  // prepared when the guest was let go, and only its owner unmaps it
  monitor->context().status = ContextStatus::Ready;
}

bool is_register_move(std::uint64_t code) {
  const auto of = [](GuestExit exit) { return static_cast<std::uint64_t>(exit); };
  return code == of(GuestExit::WriteCr8) ||
         (code >= of(GuestExit::ReadDr0) && code <= of(GuestExit::WriteDr15));
}

GuestExitKind kind_of(std::uint32_t code) {
  using By = GuestExitKind;
  switch (static_cast<GuestExit>(code)) {
    case GuestExit::TimeStamp: return By::TimeStamp;
    case GuestExit::InputOutput: return By::InputOutput;
    case GuestExit::Cpuid: return By::Cpuid;
    case GuestExit::Msr: return By::Msr;
    case GuestExit::Halt: return By::Halt;
    case GuestExit::Window: return By::Window;
    default: return is_register_move(code) ? By::Register : By::Other;
  }
}

// EXITINFO1 of an I/O access (AMD APM Vol. 2 §15.10.2).
reprise_guest_run io_stop(const Context& context, std::uint64_t info) {
  constexpr std::uint64_t in = 1 << 0, string = 1 << 2, repeated = 1 << 3;
  reprise_guest_run run = stop_at(context, REPRISE_GUEST_IO);
  run.address = info >> 16 & 0xffff;
  run.bytes = info >> 4 & 7;
  run.write = (info & in) == 0 ? 1 : 0;
  if ((info & string) != 0) run.string = (info & repeated) != 0 ? 3 : 1;
  return run;
}

reprise_guest_run msr_stop(const Context& context, std::uint64_t info) {
  reprise_guest_run run = stop_at(context, REPRISE_GUEST_MSR);
  run.address = context.registers()[Register::Rcx] & 0xffffffff;
  run.write = info & 1;
  return run;
}

reprise_guest_run memory_stop(const Context& context, const dwc::PeEnd& end) {
  constexpr std::uint64_t write = 1 << 1;
  reprise_guest_run run = stop_at(context, REPRISE_GUEST_MEMORY);
  run.address = end.fault_address;
  run.write = (end.error_code & write) != 0 ? 1 : 0;
  return run;
}

// Nothing: the kernel has answered, and the guest goes on.
std::optional<reprise_guest_run> serve_exit(Context& context, const dwc::PeEnd& end) {
  Gate gate{context};
  context.guest()->count(kind_of(end.error_code));
  if (is_register_move(end.error_code)) return stop_at(context, REPRISE_GUEST_REGISTER);
  switch (static_cast<GuestExit>(end.error_code)) {
    case GuestExit::TimeStamp: gate.guest_time_stamp(time_of(context)); return std::nullopt;
    case GuestExit::InvalidateCaches: gate.guest_goes_on(); return std::nullopt;
    case GuestExit::PerformanceCounter: gate.guest_event(general_protection); return std::nullopt;
    case GuestExit::InputOutput: return io_stop(context, end.fault_address);
    case GuestExit::Msr: return msr_stop(context, end.fault_address);
    case GuestExit::Cpuid: return stop_at(context, REPRISE_GUEST_CPUID);
    case GuestExit::Halt: return stop_at(context, REPRISE_GUEST_HALT);
    case GuestExit::Call: return stop_at(context, REPRISE_GUEST_CALL);
    case GuestExit::Shutdown: return stop_at(context, REPRISE_GUEST_SHUTDOWN);
    case GuestExit::Window: return stop_at(context, REPRISE_GUEST_WINDOW);
    case GuestExit::SetExtended: return stop_at(context, REPRISE_GUEST_XSETBV);
    case GuestExit::Invalid: return stop_at(context, REPRISE_GUEST_INVALID);
    default: gate.guest_event(invalid_opcode); return std::nullopt;  // hidden from the guest
  }
}

// Nothing: the guest goes on.
std::optional<reprise_guest_run> stop_of(Context& context, const dwc::PeEnd& end) {
  if (end.kind == Kind::Exception) return memory_stop(context, end);
  if (end.kind == Kind::Exit) return serve_exit(context, end);
  return std::nullopt;
}

}  // namespace

bool serve_guest(ProcessTable& processes, Process& guest, const dwc::PeEnd& end) {
  if (end.kind == Kind::OutOfFrames) return false;
  Context& context = guest.context();
  std::optional<reprise_guest_run> stop = stop_of(context, end);
  if (!stop && time_of(context) >= context.guest()->deadline) {
    stop = stop_at(context, REPRISE_GUEST_TIME);
  }
  const Process* const monitor = processes.find(context.guest()->monitor);
  if (!stop && monitor != nullptr && monitor->context().mailbox.notes != 0) {
    stop = stop_at(context, REPRISE_GUEST_NOTE);
  }
  if (stop) tell_monitor(processes, context, *stop);
  return true;
}

void guest_ended(ProcessTable& processes, const Process& process) {
  if (!process.context().guest()) return;
  Process* const guest = processes.find(process.number());
  const ContextFigures& figures = process.context().figures;
  reprise_guest_reason reason = REPRISE_GUEST_ENDED;
  if (figures.last_end.kind == Kind::OutOfFrames) reason = REPRISE_GUEST_MEMORY_GONE;
  if (figures.standing) reason = REPRISE_GUEST_STANDING;
  tell_monitor(processes, guest->context(), stop_at(guest->context(), reason));
}

}  // namespace reprise
