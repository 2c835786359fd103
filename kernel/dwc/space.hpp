// A context's memory as libdwc sees it: its page table, the frames, the caches.
//
// A page is its entry in the table (arch::Leaf), found by one walk when a write fault becomes an
// event; everything about the page is asked and changed there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arch/direct_map.hpp"
#include "arch/frame_memory.hpp"
#include "arch/frame_vector.hpp"
#include "arch/page_table.hpp"
#include "kernel/abi/settings.hpp"
#include "kernel/base/address.hpp"
#include "libdwc/space.hpp"

namespace reprise {

class KernelSpace {
public:
  using Page = arch::Leaf;
  using PageNumber = reprise::PageNumber;
  using Frame = FrameNumber;

  KernelSpace(arch::PageTable& table, FrameSource& frames, Flush flush)
      : table_{table}, frames_{frames}, flush_{flush} {}

  PageNumber number(Page page) { return page.page(); }
  std::uint64_t ordinal(PageNumber number) { return number.value(); }

  std::optional<Frame> allocate() { return frames_.allocate(); }
  void release(Frame frame) { frames_.release(frame); }
  std::uint64_t free_frames() { return frames_.free_frames(); }
  void copy(Frame to, Frame from) { arch::copy_frame(to, from); }
  std::uint64_t checked_copy(Frame to, Frame from) { return arch::checked_copy_of_frame(to, from); }
  std::uint64_t copy_at_fault(Frame to, Frame from) { return arch::copy_frame_at_fault(to, from); }
  dwc::Comparison compare(Frame a, Frame b);
  std::span<std::uint64_t> words(Frame frame) { return arch::frame_words(frame); }

  dwc::Origin<Frame> origin(Page page);
  void map(Page page, Frame frame, dwc::Write write);
  bool dirty(Page page) { return page.dirty(); }
  void clear_dirty(Page page) { page.clear_dirty(); }
  void invalidate(Page page) { arch::PageTable::invalidate(page.page()); }
  void invalidate_all() { arch::PageTable::invalidate_user(); }

  std::uint64_t flush_caches();
  void flush_everything();

private:
  std::uint64_t flush_touched();

  arch::PageTable& table_;
  FrameSource& frames_;
  Flush flush_;
};
static_assert(dwc::Space<KernelSpace>);

}  // namespace reprise
