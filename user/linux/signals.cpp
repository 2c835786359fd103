#include "user/linux/signals.hpp"

#include <bit>

#include "user/linux/calls.hpp"
#include "user/linux/ending.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

constinit SignalState state{};

constexpr std::uint64_t unblockable =
    signal_bit(signal_number::kill) | signal_bit(signal_number::stop);
constexpr std::uint64_t no_defer = 0x40000000, reset_hand = 0x80000000;
constexpr std::int32_t sent_by_user = 0, sent_by_kernel = 0x80;

bool ignored_by_default(int number) {
  return number == signal_number::child || number == signal_number::urgent ||
         number == signal_number::window || number == signal_number::resume ||
         // Nobody could continue a stopped process.
         (number >= signal_number::stop && number <= signal_number::terminal_output);
}

// Enters the handler and blocks what the action asks for.
void take(reprise_frame& registers, const SignalInfo& info) {
  SignalAction& action = state.actions[info.number];
  const SignalAction taken = action;
  if (!enter_handler(registers, taken, info)) {
    end_by_signal(signal_number::segment, registers, registers.rsp);
  }
  state.mask_is_replaced = false;  // the frame has the old one
  state.mask |= taken.mask;
  if ((taken.flags & no_defer) == 0) state.mask |= signal_bit(info.number);
  state.mask &= ~unblockable;
  if ((taken.flags & reset_hand) != 0) action.handler = default_action;
}

bool is_ignored(int number) {
  const std::uint64_t handler = state.actions[number].handler;
  if (number == signal_number::kill) return false;
  return handler == ignore_action || (handler == default_action && ignored_by_default(number));
}

Value send(std::int64_t number) {
  if (number < 0 || number > signal_number::last) return fail(Errno::Invalid);
  if (number != 0) raise_signal(static_cast<int>(number));
  return 0;
}

bool is_self(std::int64_t process) {
  return process == static_cast<std::int64_t>(process_number());
}

}  // namespace

SignalState& signals() { return state; }

const char* signal_name(int number) {
  static constexpr const char* names[] = {
      "0",         "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
      "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
      "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
      "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
  return number <= signal_number::system ? names[number] : "a real-time signal";
}

void end_by_signal(int number, const reprise_frame& registers, std::uint64_t address) {
  {
    Line line;
    line << process().executable << " ends by " << signal_name(number) << " at rip "
         << Hex{registers.rip};
    if (address != 0) line << ", address " << Hex{address};
  }
  end_process(128 + number);
}

void raise_signal(int number) { state.pending |= signal_bit(number); }

bool signal_is_due() {
  for (int number = 1; number <= signal_number::last; ++number) {
    if ((state.pending & ~state.mask & signal_bit(number)) == 0) continue;
    if (!is_ignored(number)) return true;
    state.pending &= ~signal_bit(number);
  }
  return false;
}

bool next_handler_restarts() {
  constexpr std::uint64_t restart = 0x10000000;
  if (!signal_is_due()) return false;
  const int number = std::countr_zero(state.pending & ~state.mask) + 1;
  return (state.actions[number].flags & restart) != 0;
}

void replace_mask(std::uint64_t mask) {
  state.mask_before = state.mask;
  state.mask_is_replaced = true;
  state.mask = mask & ~unblockable;
}

std::uint64_t mask_to_restore() { return state.mask_is_replaced ? state.mask_before : state.mask; }

void deliver_pending_signals(reprise_frame& registers) {
  for (int number = 1; (state.pending & ~state.mask) != 0; ++number) {
    if ((state.pending & ~state.mask & signal_bit(number)) == 0) continue;
    state.pending &= ~signal_bit(number);
    if (is_ignored(number)) continue;
    const std::uint64_t handler = state.actions[number].handler;
    if (handler == default_action || number == signal_number::kill) {
      end_by_signal(number, registers, 0);
    }
    if (number == signal_number::alarm) {
      take(registers, {.number = number, .code = sent_by_kernel});
    } else {
      take(registers, {.number = number, .code = sent_by_user, .address = process_number()});
    }
  }
  if (state.mask_is_replaced) state.mask = state.mask_before;
  state.mask_is_replaced = false;
}

void force_signal(reprise_frame& registers, const SignalInfo& info) {
  const bool blocked = (state.mask & signal_bit(info.number)) != 0;
  if (blocked || state.actions[info.number].handler <= ignore_action) {
    end_by_signal(info.number, registers, info.address);
  }
  take(registers, info);
}

Value call_rt_sigaction(Call& call) {
  const int number = call.integer(0);
  const bool exists = number >= 1 && number <= signal_number::last;
  if (!exists || call.argument[3] != sizeof state.mask) return fail(Errno::Invalid);
  SignalAction wanted{};
  if (!call.user(1).is_null()) {
    if (!read_user(call.user(1), wanted)) return fail(Errno::Fault);
    if ((signal_bit(number) & unblockable) != 0) return fail(Errno::Invalid);
  }
  if (!call.user(2).is_null() && !write_user(call.user(2), state.actions[number])) {
    return fail(Errno::Fault);
  }
  if (!call.user(1).is_null()) state.actions[number] = wanted;
  return 0;
}

Value call_rt_sigprocmask(Call& call) {
  enum { Block, Unblock, Set };
  if (call.argument[3] != 8) return fail(Errno::Invalid);
  const std::uint64_t old = state.mask;
  std::uint64_t wanted = 0;
  if (!call.user(1).is_null()) {
    if (!read_user(call.user(1), wanted)) return fail(Errno::Fault);
    switch (call.integer(0)) {
      case Block: wanted = old | wanted; break;
      case Unblock: wanted = old & ~wanted; break;
      case Set: break;
      default: return fail(Errno::Invalid);
    }
  }
  if (!call.user(2).is_null() && !write_user(call.user(2), old)) return fail(Errno::Fault);
  if (!call.user(1).is_null()) state.mask = wanted & ~unblockable;
  return 0;
}

Value call_rt_sigpending(Call& call) {
  const std::uint64_t pending = state.pending & state.mask;
  return write_user(call.user(0), pending) ? 0 : fail(Errno::Fault);
}

Value call_rt_sigsuspend(Call& call) {
  std::uint64_t mask = 0;
  if (call.argument[1] != 8) return fail(Errno::Invalid);
  if (!read_user(call.user(0), mask)) return fail(Errno::Fault);
  replace_mask(mask);
  return wait_for_signal("a signal that nobody can send");
}

Value call_sigaltstack(Call& call) {
  constexpr std::int32_t disabled = 2;
  constexpr std::uint64_t smallest = 2048;
  SignalStack wanted{};
  const SignalStack old = state.stack.bytes != 0 ? state.stack : SignalStack{0, disabled, 0, 0};
  if (!call.user(0).is_null()) {
    if (!read_user(call.user(0), wanted)) return fail(Errno::Fault);
    const bool turns_off = (wanted.flags & disabled) != 0;
    if (!turns_off && wanted.bytes < smallest) return fail(Errno::NoMemory);
    if (turns_off) wanted = {};
  }
  if (!call.user(1).is_null() && !write_user(call.user(1), old)) return fail(Errno::Fault);
  if (!call.user(0).is_null()) state.stack = wanted;
  return 0;
}

Value call_kill(Call& call) {
  const std::int64_t target = call.integer(0);
  const bool self = target == 0 || is_self(target < 0 ? -target : target);
  return self ? send(call.integer(1)) : fail(Errno::NoProcess);
}
Value call_tkill(Call& call) {
  return is_self(call.integer(0)) ? send(call.integer(1)) : fail(Errno::NoProcess);
}
Value call_tgkill(Call& call) {
  const bool self = is_self(call.integer(0)) && is_self(call.integer(1));
  return self ? send(call.integer(2)) : fail(Errno::NoProcess);
}

}  // namespace personality
