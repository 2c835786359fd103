// What was found of the machine, and what was made of it. Nothing here is printed that differs
// between two boots of one image on one machine. Init has the other lines.
#include "arch/machine.hpp"
#include "arch/x86_64/devices.hpp"

namespace arch {

using namespace x86;

void describe_machine(void (*line)(std::string_view text)) {
  line(describe_clock().view());
}

}  // namespace arch
