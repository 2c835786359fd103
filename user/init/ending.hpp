// How a program came to its end: its exit status as a shell would give it, and the lines about what
// ended it when it was not the program itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"

namespace reprise {

// After an exception 128 plus a signal as Linux numbers it; else what the program or the kernel
// said.
[[nodiscard]] std::uint64_t exit_status_of(const ProcessReport& process);

// Says why the kernel has ended the program, if it has: an exception that nobody handled, or memory
// that ran out.
void print_cause(std::string_view name, const ProcessReport& process);

}  // namespace reprise
