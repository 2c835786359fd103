// Lines for people about the processor. Nothing is printed that differs between two boots of one
// image on one machine.
#pragma once

#include "kernel/base/text_line.hpp"

namespace reprise {

[[nodiscard]] TextLine processor_name();

void describe_processor();

}  // namespace reprise
