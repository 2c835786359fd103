// The first code of every process, part of the personality's image: maps the program beside itself
// and builds its first stack. It runs in ring 3, so that it is run twice and compared like the
// program it loads, and a broken file can hurt nobody else.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"

namespace loader {

enum class Kind { Native, Linux };

struct Program {
  Kind kind;
  std::uint64_t entry;
};

// Fills in the loader's part of `start`. A file that cannot be run ends the process with the
// reason (REPRISE_REFUSE).
Program load(reprise_start& start);

}  // namespace loader
