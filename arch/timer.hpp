// The one-shot timer of this CPU.
#pragma once

#include "kernel/base/address.hpp"

namespace arch {

// A Timer trap (arch/run_user.hpp) comes once `duration` has passed, or as much of it as the timer
// can hold (seconds). Zero disarms it. An expiry of an earlier arming is swallowed.
void arm_timer(reprise::Nanoseconds duration);

}  // namespace arch
