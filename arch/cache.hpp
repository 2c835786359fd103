// Cache flushes between runs.
#pragma once

#include "kernel/base/address.hpp"

namespace arch {

void flush_all_caches();                       // every cache of this CPU (WBINVD)
void flush_frame(reprise::FrameNumber frame);  // its lines: CLFLUSHOPT, or CLFLUSH if that is all

}  // namespace arch
