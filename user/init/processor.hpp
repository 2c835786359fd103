// Lines for people about the processor. Nothing is printed that differs between two boots of one
// image on one machine; what the kernel has found of other devices, it says itself.
#pragma once

namespace reprise {

void describe_processor();

}  // namespace reprise
