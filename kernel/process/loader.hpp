// From a boot module to a process ready to run. The kernel only maps what the boot loader brought:
// the personality's flat image, the program's file and the archive, read-only and where they lie.
// What the program's file means is the business of the loader in the personality (user/loader),
// which runs in ring 3 and therefore twice; which modules are programs is init's.
#pragma once

#include <cstdint>
#include <span>

#include "kernel/machine.hpp"

namespace reprise {

// The number of the new process, whose strings these are (the request's are not looked at), or the
// negative of REPRISE_BAD_ARGUMENT (a module or the personality is not what it has to be),
// REPRISE_NOT_GRANTED (what nobody can have) or REPRISE_NO_MEMORY.
[[nodiscard]] std::int64_t start_process(Machine& machine, const ProgramRequest& request,
                                         std::span<const char> strings);

}  // namespace reprise
