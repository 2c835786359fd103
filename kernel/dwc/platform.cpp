#include "kernel/dwc/platform.hpp"

#include "kernel/base/memory_map.hpp"
#include "kernel/dwc/injector.hpp"

namespace reprise {

dwc::Comparison KernelPlatform::compare(Frame a, Frame b) {
  const arch::FrameComparison found = arch::compare_frames(a, b);
  return {found.first_difference, found.check_word};
}

dwc::Origin<FrameNumber> KernelPlatform::origin(Page page) {
  const std::optional<arch::Mapping> mapping = table_->find(page);
  REPRISE_ASSERT(mapping);  // the engine asks only about pages that just took a write fault
  return {mapping->frame, mapping->ownership == arch::Ownership::Shared};
}

void KernelPlatform::map(Page page, Frame frame, dwc::Write write) {
  table_->replace(
      page, frame,
      write == dwc::Write::Enabled ? arch::WriteAccess::Enabled : arch::WriteAccess::Protected);
}

void KernelPlatform::flush_caches() {
  switch (flush_) {
    case Settings::Flush::None: return;
    case Settings::Flush::All: arch::flush_all_caches(); return;
    case Settings::Flush::Touched: {
      const PageNumber end = page_of(UserAddr{user_high});
      std::optional<PageNumber> page = table_->next_mapped(page_of(UserAddr{user_low}), end);
      while (page) {
        if (table_->accessed(*page)) arch::flush_frame(table_->find(*page)->frame);
        page = table_->next_mapped(*page + 1, end);
      }
    }
  }
}

void KernelPlatform::run_begins(dwc::Run run) { injector_->run_begins(*process_, run); }
void KernelPlatform::run_ended(dwc::Run run) { injector_->run_ended(*process_, run); }

}  // namespace reprise
