// The one Machine. Only its beginning (main.cpp) and its end (panic.cpp) name it: all others are
// given a reference.
//
// Its buffers take 400 KB. Its storage is zero until make_machine(), so it lies in .bss, and the
// kernel's file stays small.
#pragma once

#include "kernel/machine.hpp"

namespace reprise {

union MachineStorage {
  constexpr MachineStorage() : empty{} {}
  char empty;
  Machine machine;
};

extern constinit MachineStorage machine_storage;
inline constexpr Machine& machine = machine_storage.machine;

// Gives all members their first values. Nothing may use the machine before.
void make_machine();

}  // namespace reprise
