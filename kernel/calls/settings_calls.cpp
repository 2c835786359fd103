// What init decides once about the machine: settings, the clocks' rates, interrupt controllers.
#include "arch/clock.hpp"
#include "arch/interrupts.hpp"
#include "arch/serial.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/init_calls.hpp"

namespace reprise::init_calls {
namespace {

bool is_possible_rate(std::uint64_t hertz) {
  return is_between(slowest_clock, hertz, fastest_clock);
}

}  // namespace

Answer configure(Call& call) {
  KernelSettings settings{};
  if (const Outcome read = call.get(call.first(), settings); !read) return answer_of(read);
  if (!are_valid(settings)) return Failure{REPRISE_BAD_ARGUMENT};
  if (settings.timeline == Timeline::Com2) {
    arch::start_second_serial();
    arch::write_second_serial("reprise-timeline 2\n");
  }
  call.machine().settings = settings;
  call.machine().log.set_quiet(settings.serial_output == SerialOutput::Withheld);
  return 0;
}

// Time may go back here: allowed only while there is nobody else to see it.
Answer clock(Call& call) {
  const std::uint64_t stamp_hertz = call.first(), timer_hertz = call.second();
  const std::uint64_t stamp = call.third();
  if (!is_possible_rate(stamp_hertz) || !is_possible_rate(timer_hertz) ||
      stamp > arch::time_stamp() || call.machine().processes.size() > 1) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  arch::set_clock(stamp_hertz, timer_hertz, stamp);
  arch::forget_longest_hold();  // it was measured in the old time
  return 0;
}

Answer interrupts(Call& call) {
  InterruptControllers controllers;
  if (const Outcome read = call.get(call.first(), controllers); !read) return answer_of(read);
  const auto inputs = arch::start_admitting(controllers);
  if (!inputs) return Failure{REPRISE_BAD_ARGUMENT};
  return static_cast<std::int64_t>(*inputs);
}

}  // namespace reprise::init_calls
