// The texts of /proc/self/maps, /proc/meminfo and /proc/cpuinfo, as Linux writes them. What Linux
// says beyond that has no counterpart here, and is left out.
#pragma once

#include "user/linux/errno.hpp"
#include "user/linux/nodes.hpp"

namespace personality {

// Replaces the node's content by the text of this moment; ENOMEM.
[[nodiscard]] Value generate(Node& node);

}  // namespace personality
