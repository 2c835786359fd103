// The first code of every process, part of the personality's image: maps the program beside itself
// and builds its first stack. It runs in ring 3, so it runs twice and is compared like the program
// it loads. A broken file can only hurt its own process.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"

namespace loader {

enum class Kind { Native, Linux };

struct Program {
  Kind kind;
  std::uint64_t entry;
};

// Fills in the loader's part of `start`. If the file cannot be run, the process ends with the
// reason (REPRISE_REFUSE).
Program load(reprise_start& start);

}  // namespace loader
