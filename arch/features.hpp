// What the CPU must have.
#pragma once

namespace arch {

void require_features();  // names what is missing and exits MachineUnfit

}  // namespace arch
