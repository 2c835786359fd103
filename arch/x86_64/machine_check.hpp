// Machine checks (Intel SDM Vol. 3B §15): hardware errors that the CPU reports.
#pragma once

namespace arch::x86 {

void start_machine_checks();

// Empties the banks of errors. True when the interrupted program can be run again from its
// snapshot: the CPU says that its context is whole.
[[nodiscard]] bool clear_machine_check();

}  // namespace arch::x86
