#include "kernel/dwc/space.hpp"

#include "arch/cache.hpp"
#include "arch/frame_vector.hpp"
#include "arch/page_table.hpp"

namespace reprise {

dwc::Comparison KernelSpace::compare(Frame a, Frame b) {
  const arch::FrameComparison found = arch::compare_frames(a, b);
  return {found.first_difference, found.check_word};
}

dwc::Origin<FrameNumber> KernelSpace::origin(Page page) {
  return {page.frame(), page.ownership() == arch::Ownership::Shared};
}

void KernelSpace::map(Page page, Frame frame, dwc::Write write) {
  const bool enabled = write == dwc::Write::Enabled;
  page.replace(frame, enabled ? arch::WriteAccess::Enabled : arch::WriteAccess::Protected);
}

std::uint64_t KernelSpace::flush_caches() {
  if (flush_ == Flush::Touched) return flush_touched();
  if (flush_ == Flush::All) arch::flush_all_caches();
  return 0;
}

void KernelSpace::flush_everything() { arch::flush_all_caches(); }

// The pages that the first run has read or written and, of those that it has not, what the second
// run before it has.
std::uint64_t KernelSpace::flush_touched() {
  const std::uint64_t flushed = table_.take_accessed(arch::flush_frame);
  arch::await_flushes();
  invalidate_all();
  return flushed;
}

}  // namespace reprise
