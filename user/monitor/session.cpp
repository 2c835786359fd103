// See session.hpp.
#include "user/monitor/session.hpp"

#include "kernel/abi/reprise.h"
#include "user/monitor/extended_state.hpp"
#include "user/monitor/msr_policy.hpp"
#include "user/monitor/register_move.hpp"
#include "user/monitor/string_io.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t millisecond = 1'000'000;
// How long typed characters, and an unfinished line of output, wait at most while the guest
// computes (guest time) or is halted (both).
constexpr std::uint64_t poll_interval = 20 * millisecond, halted_interval = 10 * millisecond;

constexpr std::uint64_t undefined_instruction = REPRISE_EVENT_EXCEPTION | 6;
constexpr std::uint64_t general_protection =
    REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13;  // error code 0
constexpr std::uint64_t interrupts_on = 1 << 9;               // RFLAGS
constexpr std::uint64_t low_half = 0xffff'ffff;

// What IN leaves in RAX: an access of 4 bytes clears the upper half, as all 32-bit results do.
std::uint64_t merged(std::uint64_t rax, std::uint32_t value, std::uint64_t bytes) {
  if (bytes >= 4) return value;
  const std::uint64_t mask = (std::uint64_t{1} << (8 * bytes)) - 1;
  return (rax & ~mask) | (value & mask);
}

}  // namespace

SessionResult Session::run() {
  Next next = Next::GoesOn;
  while (next == Next::GoesOn) {
    prepare();
    const std::int64_t error = guest_.run(run_);
    run_.done = run_.event = run_.skip = 0;
    if (error < 0) {
      next = call_failed(error);
    } else {
      now_ = GuestTime{run_.time};
      next = serve();
    }
  }
  output_.flush();
  result_.time = now_;
  result_.rip = run_.rip;
  return result_;
}

// Fills in what goes into the next run.
void Session::prepare() {
  if (now_ >= next_poll_) poll_input();
  feed_console();
  computer_.advance(now_);
  InterruptController& interrupts = computer_.interrupts();
  if (run_.ready != 0 && interrupts.interrupts())
    run_.event = REPRISE_EVENT_INTERRUPT | interrupts.acknowledge();
  run_.window = interrupts.interrupts() ? 1 : 0;
  run_.deadline = sooner(computer_.next_event(now_), next_poll_).value();
}

Session::Next Session::serve() {
  switch (run_.reason) {
    case REPRISE_GUEST_IO: return serve_io();
    case REPRISE_GUEST_CPUID: return serve_cpuid();
    case REPRISE_GUEST_MSR: return serve_msr();
    case REPRISE_GUEST_HALT: return serve_halt();
    case REPRISE_GUEST_REGISTER: return serve_register();
    case REPRISE_GUEST_MEMORY:
      result_.address = run_.address;
      result_.is_write = run_.write != 0;
      return over(Verdict::AbsentMemory);
    case REPRISE_GUEST_CALL: return raise(undefined_instruction);  // CPUID tells of no hypervisor
    case REPRISE_GUEST_XSETBV: return serve_xsetbv();
    case REPRISE_GUEST_SHUTDOWN:
      return over(output_.has_printed() ? Verdict::Reset : Verdict::TripleFault);
    case REPRISE_GUEST_WINDOW:
    case REPRISE_GUEST_TIME: return Next::GoesOn;
    case REPRISE_GUEST_NOTE: outside_.take_notes(); return Next::GoesOn;
    case REPRISE_GUEST_INVALID: return over(Verdict::InvalidState);
    case REPRISE_GUEST_MEMORY_GONE: return over(Verdict::MemoryGone);
    case REPRISE_GUEST_STANDING: return over(Verdict::Standing);
    case REPRISE_GUEST_ENDED: return over(Verdict::Ended);
    default: return call_failed(-REPRISE_BAD_ARGUMENT);  // a kernel of another version
  }
}

Session::Next Session::over(Verdict verdict) {
  result_.verdict = verdict;
  return Next::Over;
}

Session::Next Session::call_failed(std::int64_t error) {
  result_.error = error;
  return over(Verdict::CallFailed);
}

// The exception comes in place of the instruction, so no interrupt may be given with it.
Session::Next Session::raise(std::uint64_t event) {
  reprise_guest_state state{};
  if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  state.event = event;
  if (const std::int64_t error = guest_.set_state(state); error < 0) return call_failed(error);
  run_.ready = 0;
  return Next::GoesOn;
}

Session::Next Session::serve_io() {
  if (run_.string != 0) return serve_string();
  const PortAccess access{.port = static_cast<std::uint16_t>(run_.address),
                          .bytes = static_cast<unsigned>(run_.bytes),
                          .now = now_};
  if (run_.write != 0) {
    computer_.write_port(access, static_cast<std::uint32_t>(run_.rax));
  } else {
    run_.rax = merged(run_.rax, computer_.read_port(access), run_.bytes);
  }
  run_.done = 1;
  return look_for_end();
}

// Some accesses to ports end the guest.
Session::Next Session::look_for_end() {
  const Ending& ending = computer_.ending();
  result_.status = ending.status;
  if (ending.end == End::None) return Next::GoesOn;
  return over(ending.end == End::Status ? Verdict::Status : Verdict::Reset);
}

Session::Next Session::serve_string() {
  reprise_guest_state state{};
  if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  StringIo io{state, guest_, computer_};
  if (io.carry_out(run_) == StringIo::Outcome::NoMemory) {
    result_.address = io.absent_address();
    result_.is_write = run_.write == 0;  // what the port gives goes into memory
    return over(Verdict::AbsentMemory);
  }
  if (const std::int64_t error = guest_.set_state(state); error < 0) return call_failed(error);
  run_.ready = 0;
  return look_for_end();
}

Session::Next Session::serve_cpuid() {
  const auto source = [this](std::uint32_t leaf, std::uint32_t subleaf) {
    return outside_.cpuid(leaf, subleaf);
  };
  const auto leaf = static_cast<std::uint32_t>(run_.rax);
  reprise_guest_state state{};
  if (CpuidPolicy::depends_on_state(leaf)) {
    if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  }
  const ExtendedState extended = extended_state(outside_.extended_components(), state);
  const CpuidWords words =
      CpuidPolicy::answer(leaf, static_cast<std::uint32_t>(run_.rcx), extended, source);
  run_.rax = words.eax;
  run_.rbx = words.ebx;
  run_.rcx = words.ecx;
  run_.rdx = words.edx;
  run_.done = 1;
  return Next::GoesOn;
}

Session::Next Session::serve_xsetbv() {
  reprise_guest_state state{};
  if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  const std::uint64_t value = run_.rdx << 32 | (run_.rax & low_half);
  switch (carry_out_xsetbv(static_cast<std::uint32_t>(run_.rcx), value,
                           extended_state(outside_.extended_components(), state), state)) {
    case XsetbvEffect::Undefined: return raise(undefined_instruction);
    case XsetbvEffect::Refused: return raise(general_protection);
    case XsetbvEffect::StateChanged: break;
  }
  if (const std::int64_t error = guest_.set_state(state); error < 0) return call_failed(error);
  run_.done = 1;
  return Next::GoesOn;
}

Session::Next Session::serve_msr() {
  const auto msr = static_cast<std::uint32_t>(run_.address);
  const bool is_write = run_.write != 0;
  reprise_guest_state state{};
  if (!MsrPolicy::is_known(msr)) name_msr(msr, is_write);
  if (MsrPolicy::is_in_state(msr)) {
    if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  }
  if (is_write) {
    const std::uint64_t value = run_.rdx << 32 | (run_.rax & low_half);
    const MsrEffect effect = MsrPolicy::write(msr, value, state);
    if (effect == MsrEffect::Refused) return raise(general_protection);
    if (effect == MsrEffect::StateChanged) {
      if (const std::int64_t error = guest_.set_state(state); error < 0) return call_failed(error);
    }
  } else {
    const std::uint64_t value = MsrPolicy::read(msr, state, now_);
    run_.rax = value & low_half;
    run_.rdx = value >> 32;
  }
  run_.done = 1;
  return Next::GoesOn;
}

void Session::name_msr(std::uint32_t msr, bool is_write) {
  for (std::size_t i = 0; i < named_count_; ++i) {
    if (named_[i] == msr) return;
  }
  if (named_count_ == named_.size()) return;
  named_[named_count_] = msr;
  ++named_count_;
  outside_.name_msr(msr, is_write);
}

Session::Next Session::serve_halt() {
  reprise_guest_state state{};
  if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  if ((state.rflags & interrupts_on) == 0) return over(Verdict::PoweredOff);
  run_.done = 1;
  // Behind HLT the shadow of STI is over. A guest that were let go for a window there could halt
  // again before it.
  run_.ready = state.event == 0 ? 1 : 0;
  return wait_for_interrupt();
}

Session::Next Session::serve_register() {
  reprise_guest_state state{};
  if (const std::int64_t error = guest_.get_state(state); error < 0) return call_failed(error);
  RegisterMove move{state, guest_};
  if (move.carry_out() == RegisterMove::Outcome::NoMemory) {
    result_.address = move.absent_address();
    result_.is_write = false;
    return over(Verdict::AbsentMemory);
  }
  if (const std::int64_t error = guest_.set_state(state); error < 0) return call_failed(error);
  run_.ready = 0;
  return Next::GoesOn;
}

// Guest time goes on as fast as real time while the guest is halted.
Session::Next Session::wait_for_interrupt() {
  const std::uint64_t start = outside_.time();
  const GuestTime halted_at = now_;
  while (true) {
    feed_console();
    computer_.advance(now_);
    if (computer_.interrupts().interrupts()) break;
    output_.flush();
    const GuestTime event = computer_.next_event(now_);
    const bool more_input = !input_.empty() || !input_ended_;
    const bool will_come = event != never || (more_input && computer_.console().listens());
    if (!will_come) return over(Verdict::NothingWakes);
    now_ = sooner(event, now_ + halted_interval);
    outside_.sleep_until(start + (now_.value() - halted_at.value()));
    poll_input();
  }
  run_.skip = now_.value() - halted_at.value();
  return Next::GoesOn;
}

void Session::poll_input() {
  next_poll_ = now_ + poll_interval;
  output_.flush();
  const std::span<char> room = input_.room();
  if (input_ended_ || room.empty() || !computer_.console().listens()) return;
  const Outside::Input input = outside_.read_input(room);
  input_.came(input.bytes);
  input_ended_ = input.ended;
}

void Session::feed_console() {
  SerialPort& console = computer_.console();
  if (!console.listens()) return;
  while (!input_.empty() && console.room() != 0) console.receive(input_.take());
}

}  // namespace monitor
