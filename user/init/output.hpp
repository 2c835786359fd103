// Where event_line.hpp prints to: whole lines are collected, and leave by one call for many, each
// call being a processing element.
#pragma once

#include "user/init/event_line.hpp"

namespace reprise {

void flush_output();

}  // namespace reprise
