// Flips bits on purpose, as init has planned it (kernel/abi/init.hpp), to show that a flip is
// caught. Each flip is transient: it is applied once and not again when the PE is restarted. What
// became of it is known when the PE ends, and kept until init asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/abi/init.hpp"
#include "libdwc/core.hpp"

namespace reprise {

class Process;

class Injector {
public:
  // False: there are too many.
  bool plan(const Injection& injection);
  // All those that have not struck.
  void forget();

  // From the engine's core: the moments at which a flip can strike.
  void run_begins(Process& process, dwc::WhichRun run);
  void run_ended(Process& process);
  // Within the run, as often as next_offset() says: after so many instructions of it the next flip
  // is due; 0: no more.
  [[nodiscard]] std::uint64_t next_offset(Process& process);
  void reached(Process& process, std::uint64_t count);

  // The engine's verdict on the attempt in which flips have struck.
  void settle(FlipFate fate);
  [[nodiscard]] bool has_news();
  // One of the flips whose fate is known; it is forgotten.
  [[nodiscard]] std::optional<Injection> take_news();

  // By FlipFate.
  [[nodiscard]] const FlipCounts& settled() const { return settled_; }

private:
  template <class Action>
  void for_each_due(Process& process, Injection::Moment moment, Action action);
  void strike(Process& process, Injection::Moment moment, std::uint64_t count);
  static bool apply(Process& process, Injection& injection);
  void release(Injection& flip);
  [[nodiscard]] std::span<Injection> used() { return std::span{flips_}.first(used_); }

  std::array<Injection, most_injections> flips_{};
  std::size_t used_ = 0;
  std::uint64_t run_ = 1;  // under way
  FlipCounts settled_{};
};

}  // namespace reprise
