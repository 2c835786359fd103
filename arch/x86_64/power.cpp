#include "arch/power.hpp"

#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"

namespace arch {

using namespace x86;

void exit_machine(reprise::ExitCode code) {
  out8(debug_exit_port, static_cast<std::uint8_t>(code));
  halt_machine();
}

void halt_machine() {
  while (true) {
    cli();
    hlt();  // an NMI may end it
  }
}

void reset_processor() {
  lidt({0, 0});  // no handler for anything: the next exception shuts the CPU down
  __builtin_trap();
}

}  // namespace arch
