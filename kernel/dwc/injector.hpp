// Flips bits on purpose, where `inject=` says or at random (`inject.rate=`), to show that a flip is
// caught. Each flip is transient: it is applied once and not again when the PE is restarted. What
// became of it is printed when the PE ends: caught (the runs differed) or died-out (overwritten or
// never used; both runs agreed all the same).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "libdwc/platform.hpp"

namespace reprise {

class Process;

class Injector {
public:
  constexpr explicit Injector(const KernelSettings& settings) : settings_{settings} {}
  // The settings have come: what is random begins anew.
  void seed();
  // False: there are too many.
  bool plan(const Injection& injection);

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

  [[nodiscard]] const std::array<std::uint64_t, 3>& settled() const { return settled_; }

private:
  using Moment = Injection::Moment;
  template <class Action>
  void for_each_due(const Process& process, Moment moment, Action action);
  void tell(const Process& process, const Injection& injection, std::string_view outcome);
  void strike(Process& process, Moment moment, std::uint64_t count);
  void plan_random(Process& process);
  void aim_at_register();
  void aim_at_page(std::size_t modified_pages);
  bool apply(Process& process, const Injection& injection);
  [[nodiscard]] std::uint64_t random();

  std::array<Injection, most_injections> planned_{};
  std::array<bool, most_injections> spent_{};
  std::size_t planned_count_ = 0;

  const KernelSettings& settings_;
  std::uint64_t random_state_ = 0;
  bool random_armed_ = false;  // random_flip_ waits for its run and moment
  Injection random_flip_{};

  std::array<Injection, most_injections + 1> pending_{};  // applied in this PE, verdict open
  std::size_t pending_count_ = 0;
  std::uint64_t seen_process_ = 0, seen_element_ = 0;  // the PE whose first attempt was planned
  std::uint64_t run_ = 1;                              // under way
  std::array<std::uint64_t, 3> settled_{};             // flips by outcome
};

}  // namespace reprise
