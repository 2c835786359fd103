#include "kernel/dwc/space.hpp"

#include "arch/cache.hpp"
#include "arch/frame_vector.hpp"
#include "arch/page_table.hpp"
#include "kernel/base/memory_map.hpp"

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

// The pages that a run has read or written.
std::uint64_t KernelSpace::flush_touched() {
  std::uint64_t flushed = 0;
  const PageNumber end = page_of(UserAddr{user_high});
  std::optional<Page> page = table_.next_leaf(page_of(UserAddr{user_low}), end);
  while (page) {
    if (page->accessed()) {
      arch::flush_frame(page->mapping().frame);
      ++flushed;
    }
    page = table_.next_leaf(page->page() + 1, end);
  }
  return flushed;
}

}  // namespace reprise
