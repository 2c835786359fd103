// The one Machine. Only its beginning (main.cpp) and its end (panic.cpp) name it: all others are
// given a reference.
#pragma once

#include "kernel/machine.hpp"

namespace reprise {

extern constinit Machine machine;

}  // namespace reprise
