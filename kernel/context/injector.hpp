// Flips bits of one context on purpose, as init has planned it (kernel/abi/init.hpp), to show that
// a flip is caught. Each flip is transient: it is applied once and not again when the PE is
// restarted. Its fate is known when the PE ends, and kept until init asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/dwc/engine.hpp"

namespace reprise {

// Of all contexts of the machine.
struct FlipTotals {
  FlipCounts settled{};     // by FlipFate
  std::uint64_t known = 0;  // flips whose fate is known and that init has not asked for
};

class Injector {
public:
  explicit Injector(FlipTotals& totals) : totals_{totals} {}
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;
  ~Injector();

  // False: there are too many.
  [[nodiscard]] bool plan(const Injection& injection);
  // All those that have not struck.
  void forget();
  // There is none that could strike, and none whose fate is open.
  [[nodiscard]] bool idle() const { return used_ == 0; }

  // The moments at which a flip can strike: in the registers or in what the engine holds.
  void run_begins(dwc::WhichRun run, Engine& engine, arch::UserState& live);
  void run_ended(Engine& engine, arch::UserState& live);
  // Within the run: after so many instructions of it the next flip is due; 0: no more.
  [[nodiscard]] std::uint64_t next_offset(const Engine& engine);
  void reached(std::uint64_t count, Engine& engine, arch::UserState& live);

  // The engine's verdict on the attempt in which flips have struck.
  void conclude(FlipFate fate);
  // One of the flips whose fate is known. It is forgotten.
  [[nodiscard]] std::optional<Injection> take_known();

private:
  template <class Action>
  void for_each_due(const Engine& engine, Injection::Moment moment, Action action);
  void strike(Engine& engine, arch::UserState& live, Injection::Moment moment, std::uint64_t count);
  static bool apply(Engine& engine, arch::UserState& live, Injection& injection);
  void become_known(Injection& flip, FlipFate fate);
  void release(Injection& flip);
  [[nodiscard]] std::span<Injection> used() { return std::span{flips_}.first(used_); }

  FlipTotals& totals_;
  std::array<Injection, most_injections> flips_{};
  std::size_t used_ = 0;
  std::uint64_t run_ = 1;  // under way
};

}  // namespace reprise
