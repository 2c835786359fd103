// The calls of init (kernel/abi/init.hpp): it sets the machine up, starts the programs, is told of
// their ends, and ends the machine. Init runs in ring 3, twice, and is believed no more than any
// program: what it gives is checked against bounds, and a bad value is an error code.
#pragma once

#include <cstdint>

#include "kernel/system.hpp"

namespace reprise {

// Serves the call in init's registers if it is one of these; false: it is not. WAIT leaves init
// Waiting until there is something to tell, and is then served again.
bool serve_init(System& system, Process& init);

}  // namespace reprise
