// How the CPU is set up, and what it says about its own health.
#pragma once

namespace arch::x86 {

// Protections, page attributes, the entry for SYSCALL, machine checks.
void set_control_registers();

// What ring 3 could read that differs between two runs (closures.cpp).
void close_sources_of_difference();

// Empties the banks of errors (Intel SDM Vol. 3B §15); true when the interrupted program can be run
// again from its snapshot: the CPU says that its context is whole.
[[nodiscard]] bool clear_machine_check();

}  // namespace arch::x86
