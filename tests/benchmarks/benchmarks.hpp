// What the program measures, by area. A name has three parts, `area/operation/where`, which
// scripts/lib/reprise/bench/host.py takes apart.
#pragma once

#include <string>
#include <vector>

#include "arch/x86_64/vector_operations.hpp"

namespace benchmarks {

struct Width {
  std::string name;
  const arch::x86::VectorOperations* operations;
};
// Those that this CPU has, the widest last: the kernel takes that one.
std::vector<Width> widths();

void register_pages();
void register_registers();
void register_page_set();
void register_controller();
void register_instructions();

}  // namespace benchmarks
