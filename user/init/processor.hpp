// Lines for people about the processor. Nothing is printed that differs between two boots of one
// image on one machine.
#pragma once

namespace reprise {

void describe_processor();

}  // namespace reprise
