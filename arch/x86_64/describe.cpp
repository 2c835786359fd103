// What was found of the machine, and what was made of it. Nothing here is printed that differs
// between two boots of one image on one machine. Each device's file has its own line; the processor
// is what CPUID says, in ring 3 as well (user/init/processor.cpp).
#include "arch/machine.hpp"
#include "arch/x86_64/devices.hpp"

namespace arch {

using namespace x86;

void describe_machine(void (*line)(std::string_view text)) {
  for (const auto describe : {describe_clock, describe_interrupts}) {
    line(describe().view());
  }
}

}  // namespace arch
