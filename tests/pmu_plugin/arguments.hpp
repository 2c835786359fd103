// The text behind the plugin's name on QEMU's command line: KEY=VALUE, separated by commas.
#pragma once

#include <cstdint>
#include <optional>

namespace pmu {

struct Arguments {
  unsigned width = 48;      // bits of the counter
  std::uint64_t delay = 0;  // the interrupt comes up to this many instructions later
  std::uint64_t calm = 0;   // the first `calm` interrupts come without that delay
  std::uint64_t seed = 1;   // of the delay's random numbers
  unsigned gain = 0;        // extra user counts at each interrupt and exception
  bool stale = true;        // an interrupt refused by LVTPC's mask comes later
  bool report = false;      // a line on stderr at the end
  bool trace = false;       // a line on stderr for each access and interrupt
};

// Nothing, after a line on stderr: an argument is unknown or malformed.
[[nodiscard]] std::optional<Arguments> parse_arguments(int count, char** texts);

}  // namespace pmu
