#include "kernel/the_machine.hpp"

#include <new>

namespace reprise {

constinit MachineStorage machine_storage;

void make_machine() { new (&machine_storage.machine) Machine; }

}  // namespace reprise
