// The kernel's main loop: whose turn it is, one processing element, then once, outside of it, what
// the element's end asks for. Only init ends the machine, or the end of init.
#pragma once

#include "kernel/machine.hpp"

namespace reprise {

[[noreturn]] void supervise(Machine& machine);

}  // namespace reprise
