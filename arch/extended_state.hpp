// Extended state: x87 and vector registers, as far as ring 3 may use them.
#pragma once

namespace arch {

// Enables it: with XSAVE every component that fits into UserState, else what FXSAVE saves.
void start_extended_state();

}  // namespace arch
