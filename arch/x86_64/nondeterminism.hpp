// Sources of difference between two runs, as the CPU is set up against them.
#pragma once

namespace arch::x86 {

// Makes what ring 3 could read and would differ fault, or hides it (nondeterminism.cpp).
void close_sources_of_difference();

}  // namespace arch::x86
