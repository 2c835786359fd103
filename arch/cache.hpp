// Cache flushes between runs.
#pragma once

#include "kernel/base/address.hpp"

namespace arch {

void flush_all_caches();  // every cache of this CPU (WBINVD)
// Its lines: CLFLUSHOPT, or CLFLUSH if that is all. They are gone after await_flushes(); waiting
// for many frames at once is several times as fast as for each.
void flush_frame(reprise::FrameNumber frame);
void await_flushes();

}  // namespace arch
