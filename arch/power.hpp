// The ways to leave the machine.
#pragma once

#include "kernel/base/exit_code.hpp"

namespace arch {

[[noreturn]] void exit_machine(reprise::ExitCode code);  // isa-debug-exit, else halts for ever
[[noreturn]] void halt_machine();
[[noreturn]] void reset_processor();  // by a triple fault: most machines restart then

}  // namespace arch
