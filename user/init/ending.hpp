// How a program ended: its exit status as a shell would give it, and the lines about the cause when
// the kernel ended it.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"

namespace reprise {

// After an exception 128 plus the number of Linux's signal for it; else the status that the program
// or the kernel gave.
[[nodiscard]] std::uint64_t exit_status_of(const ProcessReport& process);

// Prints why the kernel ended the program: an exception without a handler, or no memory. Prints
// nothing when the program ended itself.
void print_cause(std::string_view name, const ProcessReport& process);

}  // namespace reprise
