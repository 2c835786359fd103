// Signals of a single-threaded process: actions, mask, pending signals. They come from the program
// itself (kill, raise, abort, a write into a closed pipe), from its exceptions and from its timer.
// No other process can send one.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"
#include "user/linux/errno.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

namespace signal_number {
inline constexpr int illegal = 4, trap = 5, abort = 6, bus = 7, floating = 8, kill = 9,
                     segment = 11, broken_pipe = 13, alarm = 14, child = 17, resume = 18, stop = 19,
                     terminal_stop = 20, terminal_output = 22, urgent = 23, file_size = 25,
                     window = 28, system = 31, last = 64;
}

constexpr std::uint64_t signal_bit(int number) { return 1ull << (number - 1); }

struct SignalAction {  // as rt_sigaction passes it
  std::uint64_t handler, flags, restorer, mask;
};
inline constexpr std::uint64_t default_action = 0, ignore_action = 1;

struct SignalStack {  // stack_t
  std::uint64_t base;
  std::int32_t flags;
  std::int32_t padding;
  std::uint64_t bytes;
};

struct SignalInfo {  // the first words of siginfo_t
  std::int32_t number = 0, error = 0, code = 0, padding = 0;
  std::uint64_t address = 0;  // of a fault; else process and user that sent it
};

struct SignalState {
  std::uint64_t mask, pending;
  std::uint64_t mask_before;  // while a call waits with another mask
  bool mask_is_replaced;
  SignalStack stack;
  SignalAction actions[signal_number::last + 1];
};

[[nodiscard]] SignalState& signals();

// Becomes pending, sent by the process itself, or by its timer.
void raise_signal(int number);

// Whether a signal waits that is neither blocked nor ignored. Forgets those that are ignored.
[[nodiscard]] bool signal_is_due();

// Whether the handler that is entered next has a call begin again that its signal interrupted.
[[nodiscard]] bool next_handler_restarts();

// For a call that waits with a mask of its own (sigsuspend, ppoll). The old mask is back when the
// call returns, or when the handler does that ended the wait.
void replace_mask(std::uint64_t mask);
// What a handler's frame keeps for its end.
[[nodiscard]] std::uint64_t mask_to_restore();

// Enters the handlers of pending, unblocked signals, or ends the process. Called before the program
// continues with `registers`.
void deliver_pending_signals(reprise_frame& registers);

// Delivers a signal for an exception. When it is blocked or ignored, it ends the process.
void force_signal(reprise_frame& registers, const SignalInfo& info);

// signal_frame.cpp: changes `registers` so that the program continues in its handler. False: the
// frame cannot be written.
[[nodiscard]] bool enter_handler(reprise_frame& registers, const SignalAction& action,
                                 const SignalInfo& info);

[[nodiscard]] const char* signal_name(int number);
[[noreturn]] void end_by_signal(int number, const reprise_frame& registers, std::uint64_t address);

}  // namespace personality
