// Where kernel/console/line.hpp prints to in init: whole lines are collected, and leave by one call
// for many, each call being a processing element.
#pragma once

#include "kernel/console/line.hpp"

namespace reprise {

void flush_output();

}  // namespace reprise
