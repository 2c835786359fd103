// libdwc's engine on this machine. Next: core.hpp and space.hpp, what the engine asks of it.
#pragma once

#include "kernel/dwc/core.hpp"
#include "kernel/dwc/space.hpp"
#include "libdwc/controller.hpp"

namespace reprise {

using Engine = dwc::Controller<KernelSpace, KernelCore>;

}  // namespace reprise
