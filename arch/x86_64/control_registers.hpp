// How the CPU is set up.
#pragma once

namespace arch::x86 {

// Protections, page attributes, the entry for SYSCALL, machine checks.
void set_control_registers();

}  // namespace arch::x86
