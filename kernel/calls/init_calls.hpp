// The calls of init (kernel/abi/init.hpp): it sets the machine up, starts the programs, is told of
// their ends, and ends the machine. Init runs in ring 3, twice, and is believed no more than any
// program: what it gives is checked against bounds, and a bad value is an error code.
#pragma once

#include <array>

#include "kernel/calls/call.hpp"

namespace reprise {

// By number, from REPRISE_CONFIGURE on.
extern const std::array<CallHandler, REPRISE_CLOCK - REPRISE_CONFIGURE + 1> init_calls;

}  // namespace reprise
