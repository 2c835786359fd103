// What a person and a script are told when restarts did not cure a mismatch: the PE, where both
// runs ended, the first words in which they differ, and the instructions there.
#pragma once

#include "kernel/process/process.hpp"

namespace reprise {

void print_diagnosis(Process& process);

}  // namespace reprise
