// The CPU's protections, and the entry for SYSCALL (control_registers.cpp).
#pragma once

namespace arch::x86 {

void set_control_registers();

}  // namespace arch::x86
