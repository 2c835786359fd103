// Collects the lines of event_line.hpp. Each call ends a processing element, so many lines leave by
// one call.
#pragma once

#include "user/init/event_line.hpp"

namespace reprise {

void flush_output();

}  // namespace reprise
