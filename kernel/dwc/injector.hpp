// Flips bits on purpose, where `inject=` says or at random (`inject.rate=`), to show that a flip is
// caught. Each flip is transient: it is applied once and not again when the PE is restarted. What
// became of it is printed when the PE ends: caught (the runs differed) or died-out (overwritten or
// never used; both runs agreed all the same).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/parse/settings.hpp"
#include "libdwc/platform.hpp"

namespace reprise {

class Process;

class Injector {
public:
  explicit Injector(const Settings& settings);

  // From the engine's platform: the moments at which a flip can strike.
  void run_begins(Process& process, dwc::Run run);
  void run_ended(Process& process);
  // Within the run, as often as next_offset() says: after so many instructions of it the next flip
  // is due; 0: no more.
  [[nodiscard]] std::uint64_t next_offset(const Process& process);
  void reached(Process& process, std::uint64_t count);

  // The engine's verdict on the PE in which flips were pending.
  enum class Outcome : std::uint8_t { DiedOut, Caught, Stopped };
  void settle(Process& process, Outcome outcome);

  [[nodiscard]] std::uint64_t settled(Outcome outcome) const {
    return settled_[static_cast<std::size_t>(outcome)];
  }

private:
  using Moment = Injection::Moment;
  template <class Action>
  void for_each_due(const Process& process, Moment moment, Action action);
  void strike(Process& process, Moment moment, std::uint64_t count);
  void plan_random(Process& process);
  void aim_at_register();
  void aim_at_page(std::size_t modified_pages);
  bool apply(Process& process, const Injection& injection);
  [[nodiscard]] std::uint64_t random();

  std::array<Injection, Settings::max_injections> planned_{};
  std::array<bool, Settings::max_injections> spent_{};
  std::size_t planned_count_ = 0;

  std::uint64_t rate_;
  std::string_view only_;  // process that random flips hit; empty: all
  std::uint64_t random_state_;
  bool random_armed_ = false;  // random_flip_ waits for its run and moment
  Injection random_flip_{};

  std::array<Injection, Settings::max_injections + 1>
      pending_{};  // applied in the PE under way, verdict open
  std::size_t pending_count_ = 0;
  std::uint64_t seen_process_ = 0, seen_element_ = 0;  // the PE whose first attempt was planned
  unsigned run_ = 1;                                   // under way
  std::array<std::uint64_t, 3> settled_{};             // flips by outcome
};

}  // namespace reprise
