// What the tests of the search share: loops to cut in two, counters, and a machine whose first runs
// the time limit ends at a given instruction.
#pragma once

#include <cstdint>
#include <functional>

#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

namespace fake {

inline constexpr std::uint64_t minus_one = ~std::uint64_t{0};
inline constexpr CounterModel good{.name = "good", .announced = {.counts = true, .margin = 8}};
inline constexpr CounterModel landmark{.name = "landmark"};

// Two instructions an iteration, from instruction 1 on.
inline Program count_down(std::uint64_t from) {
  return {{.op = Op::Immediate, .a = 1, .value = from},
          {.op = Op::AddImmediate, .a = 1, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 1, .value = 1},
          {.op = Op::SystemCall}};
}

// Five instructions an iteration, from instruction 2 on. At 4 every register is always the same.
inline Program memory_counts_down(std::uint64_t from) {
  return {{.op = Op::Immediate, .a = 4, .value = 8},
          {.op = Op::Immediate, .a = 6, .value = from},
          {.op = Op::Store, .a = 6, .b = 4},
          {.op = Op::Immediate, .a = 6, .value = 0},
          {.op = Op::Load, .a = 6, .b = 4},
          {.op = Op::AddImmediate, .a = 6, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 6, .value = 2},
          {.op = Op::SystemCall}};
}

// A World whose first run of each PE the timer ends behind `length` instructions.
struct Limited : World<> {
  static dwc::Settings far() {
    return {.limit_ticks = 1'000'000, .second_run_slack_ticks = 100'000};
  }

  Limited(const Program& program, const CounterModel& counter, std::uint64_t length,
          const dwc::Settings& chosen = far())
      : World<>{program, 2, 8, chosen} {
    machine.use_counter(counter, 1);
    machine.on_run_begins = [this](dwc::WhichRun begun) { run = begun; };
    machine.before_instruction = [this, length] {
      if (run == dwc::WhichRun::First && machine.retired() + 1 == length) machine.arm_timer(1);
      if (disturb) disturb();
    };
  }

  std::uint64_t limited() const {
    return statistics().by_end[static_cast<std::size_t>(dwc::PeEnd::Kind::TimeLimit)];
  }

  dwc::WhichRun run = dwc::WhichRun::First;
  std::function<void()> disturb;  // before each instruction
};

}  // namespace fake
