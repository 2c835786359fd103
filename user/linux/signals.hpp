// Signals of a single-threaded process: actions, mask, pending signals. They come from the program
// itself (kill, raise, abort, a write into a closed pipe) and from its exceptions. No other process
// can send one.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"
#include "user/linux/errno.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

namespace signal_number {
inline constexpr int illegal = 4, trap = 5, abort = 6, bus = 7, floating = 8, kill = 9,
                     segment = 11, broken_pipe = 13, child = 17, resume = 18, stop = 19,
                     terminal_stop = 20, terminal_output = 22, urgent = 23, window = 28,
                     system = 31, last = 64;
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
  SignalStack stack;
  SignalAction actions[signal_number::last + 1];
};

[[nodiscard]] SignalState& signals();

// Becomes pending, sent by the process itself.
void raise_signal(int number);

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
