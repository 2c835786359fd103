// The end of a kernel that found itself broken: says where and why, and stops the machine.
#include "arch/power.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/log/line.hpp"
#include "kernel/log/log.hpp"

namespace reprise {

void panic_at(const char* file, int line, const char* what) {
  static bool panicking = false;
  if (panicking) arch::halt_machine();
  panicking = true;
  kernel_log.lose_reader(nullptr);
  say("kernel panic: ", what, " (", file, ":", static_cast<unsigned>(line), ")");
  tell("panic what=\"", what, "\"");  // our own words: no quotation marks
  arch::exit_machine(ExitCode::Panic);
}

}  // namespace reprise
