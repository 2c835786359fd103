// The sheet of report=sheet: all figures of a boot in few lines, one for each program, each with a
// check. It is made for machines whose screen a person photographs. docs/log-format.md has its
// fields.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "kernel/base/text_line.hpp"
#include "user/init/clock_rates.hpp"
#include "user/init/counter_test.hpp"
#include "user/init/programs.hpp"

namespace reprise {

// What is known about the machine at the programs' start.
struct MachineFacts {
  ClockRates clocks;
  CounterFacts counter;
};

class Sheet {
public:
  // The figures of a program that has ended; a driver's are left out.
  void add(const Program& program, const ProcessReport& process);
  void print(const MachineFacts& facts, const MachineReport& machine);

private:
  struct Row {
    std::array<char, 32> name{};
    std::uint64_t status = 0, elements = 0, user_time = 0;
    bool hardened = false;
    dwc::Statistics figures;
  };

  void print_line(const TextLine& text);
  void print_head(const MachineFacts& facts, const MachineReport& machine);
  void print_twice(const Row& row, std::uint64_t stamp_hertz);
  void print_once(std::uint64_t stamp_hertz);

  std::array<Row, most_modules> rows_{};
  std::size_t count_ = 0;
  std::uint64_t lines_ = 0;
  std::uint16_t all_ = 0;  // check of all checks so far: lines of two boots do not go together
};

}  // namespace reprise
