// The calls that only init may make (kernel/abi/init.hpp), by topic: it sets the machine up, starts
// the programs, is told of their ends, and ends the machine. Init runs in ring 3, twice, and is
// believed no more than any program.
#pragma once

#include "kernel/calls/call.hpp"

namespace reprise::init_calls {

// settings_calls.cpp
[[nodiscard]] Answer configure(Call& call);
[[nodiscard]] Answer clock(Call& call);
[[nodiscard]] Answer interrupts(Call& call);

// counter_calls.cpp
[[nodiscard]] Answer counter(Call& call);
[[nodiscard]] Answer probe(Call& call);

// machine_calls.cpp
[[nodiscard]] Answer describe_machine(Call& call);
[[nodiscard]] Answer physical_read(Call& call);
[[nodiscard]] Answer shutdown(Call& call);

// flip_calls.cpp
[[nodiscard]] Answer inject(Call& call);

// program_calls.cpp
[[nodiscard]] Answer start(Call& call);
[[nodiscard]] Answer news(Call& call);
[[nodiscard]] Answer status(Call& call);
[[nodiscard]] Answer end(Call& call);
[[nodiscard]] Answer release(Call& call);

}  // namespace reprise::init_calls
