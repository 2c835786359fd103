// The end of a kernel that found itself broken: says where and why, and stops the machine.
#include "arch/machine.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/console/line.hpp"

namespace reprise {

void panic_at(const char* file, int line, const char* what) {
  static bool panicking = false;
  if (panicking) arch::halt_machine();
  panicking = true;
  Line{"kernel panic: "}
      .text(what)
      .text(" (")
      .text(file)
      .text(":")
      .number(static_cast<std::uint64_t>(line))
      .text(")")
      .print();
  EventLine{"panic"}.field("what", what).print();
  arch::exit_machine(ExitCode::Panic);
}

}  // namespace reprise
