// The end of a kernel that found itself broken: says where and why, and stops the machine.
#include "arch/power.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/log/message.hpp"
#include "kernel/the_machine.hpp"

namespace reprise {

void panic_at(const char* file, int line, const char* what) {
  if (machine.panicking) arch::halt_machine();
  machine.panicking = true;
  machine.log.lose_all_readers();
  log_message(machine.log, "kernel panic: ", what, " (", file, ":", static_cast<unsigned>(line),
              ")");
  log_event(machine.log, "panic what=\"", what, "\"");  // our own words: no quotation marks
  arch::exit_machine(ExitCode::Panic);
}

}  // namespace reprise
