// The self-test that every counter has to pass at boot: runs programs of known length in ring 3,
// learns what each kind of trap adds to a count, and how late stops come. What a counter announces
// counts for nothing: virtual machines announce counters that do not count.
#pragma once

#include "arch/counter.hpp"
#include "arch/x86_64/counter.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/text_line.hpp"

namespace arch::x86 {

// On success the counter is in use (use_counter()); else the reason. The address space that was
// active is active again.
[[nodiscard]] reprise::Result<reprise::Done, reprise::TextLine> test_counter(
    CounterBackEnd& back_end, reprise::FrameSource& frames);

}  // namespace arch::x86
