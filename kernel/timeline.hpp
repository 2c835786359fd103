// The timeline: for each PE that is over, what became of it and where its time went, as lines of
// text on the second serial port. Off by default (timeline=). A record is written between two PEs,
// so it is in no PE's time. docs/timeline.md has the lines; scripts/lib/reprise/timeline.py reads
// them.
#pragma once

#include "kernel/abi/init.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

// From before the PE to behind it, on the machine's clock.
struct ElementTime {
  Nanoseconds begin, took;
};

// `end`: what was committed; nothing: the PE was given up. `flips`: how many of the whole machine
// have settled so far.
void write_to_timeline(const Process& process, const dwc::PeEnd* end, ElementTime time,
                       const FlipCounts& flips);

}  // namespace reprise
