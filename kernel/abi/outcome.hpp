// How a step of the kernel ends that can fail with an error of the ABI.
#pragma once

#include "kernel/abi/reprise.h"
#include "kernel/base/result.hpp"

namespace reprise {

using Outcome = Result<Done, reprise_error>;

}  // namespace reprise
