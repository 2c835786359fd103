// Vector registers and the like: which of them ring 3 may use.
#pragma once

namespace arch {

void start_extended_state();  // by FXSAVE, or by XSAVE with every component that fits

}  // namespace arch
