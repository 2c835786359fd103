// The three frames behind a page of the set, and how they change roles. `work` is mapped, and the
// runs write it. `base` keeps P0, the content at the start of the PE. `spare` waits for the second
// run, and holds P1 from rewind to commit.
//
//                    work         base        spare
//   join, run 1      P0 -> P1     P0          -             all three reserved: the only step
//   rewind, run 2    P0 -> P2     P0          P1            that can fail is the join
//   commit rotate    P2           P1 (= P2)   old base      the page stays, predicted
//   commit classic   -            P2          -             the page leaves, write-protected
//   restore          P0           P0          -
//
// Invariant: a base that is the page's own has the content from which its check word was taken. A
// shared frame is never written and never released. It is never given to map(), because map() makes
// a frame the page's own.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "libdwc/findings.hpp"
#include "libdwc/page_set.hpp"

namespace dwc {

template <Space S>
class ShadowFrames {
public:
  using Page = typename S::Page;
  using Frame = typename S::Frame;
  using Entry = PageEntry<S>;

  ShadowFrames(S& space, Policy policy, Statistics& statistics)
      : space_{space}, policy_{policy}, statistics_{statistics} {}

  // At a write fault: reserves every frame that rewind and commit will need, and makes the page
  // writable. `entry`, which is new, becomes the page's. False: without enough frames nothing is
  // changed.
  [[nodiscard]] bool join(Page page, Entry& entry) {
    const std::optional<Frame> copy = space_.allocate();
    if (!copy) return false;
    const std::optional<Frame> spare = space_.allocate();
    if (!spare) {
      space_.release(*copy);
      return false;
    }
    const Origin<Frame> origin = space_.origin(page);
    entry.page = page;
    entry.work = *copy;
    entry.base = origin.frame;
    entry.spare = *spare;
    entry.base_shared = origin.shared;
    entry.joined_now = true;
    if (policy_ == Policy::Rotate && !origin.shared) std::swap(entry.work, entry.base);
    entry.base_check = space_.copy_at_fault(*copy, origin.frame);
    ++statistics_.copies_at_fault;
    map(page, entry.work, Write::Enabled);
    space_.invalidate(page);
    return true;
  }

  // P1 is put aside; the second run writes a copy of P0. The caller invalidates.
  void rewind(Entry& entry) {
    copy(entry.spare, entry.base);
    map(entry.page, entry.spare, Write::Enabled);
    std::swap(entry.work, entry.spare);
    entry.rewound = true;
  }

  enum class Stay : std::uint8_t { Predicted, Leave };

  // Both runs agreed on the page's content, so P2 becomes the context's state. Says whether the
  // page can stay in the set; if not, release() it. The caller invalidates.
  [[nodiscard]] Stay commit(Entry& entry) {
    const Stay stay = policy_ == Policy::Classic ? commit_in_place(entry) : rotate(entry);
    if (stay == Stay::Predicted && entry.dirty_in_either()) space_.clear_dirty(entry.page);
    begin_anew(entry);
    return stay;
  }

  // The page is P0 again, for another first run. False: the base no longer has its check word. The
  // caller invalidates.
  [[nodiscard]] bool restore(Entry& entry) {
    const std::uint64_t check = space_.checked_copy(entry.work, entry.base);
    ++statistics_.copies;
    map(entry.page, entry.work, Write::Enabled);
    begin_anew(entry);
    return check == entry.base_check;
  }

  // Between PEs, or in a first run that has not written the page: it becomes write-protected, and
  // keeps its frames. The caller invalidates.
  void fall_asleep(const Entry& entry) { map(entry.page, entry.work, Write::Protected); }

  // At a write fault: the page is writable again, and its base is still P0.
  void wake(Entry& entry) {
    entry.joined_now = true;
    map(entry.page, entry.work, Write::Enabled);
    space_.invalidate(entry.page);
  }

  // The page leaves the set with its present content, write-protected. It keeps one frame, and the
  // others are released. The caller invalidates.
  void release(Entry& entry) {
    const bool in_place = policy_ == Policy::Classic && !entry.base_shared;
    map(entry.page, in_place ? entry.base : entry.work, Write::Protected);
    if (in_place) space_.release(entry.work);
    if (!in_place && !entry.base_shared) space_.release(entry.base);
    space_.release(entry.spare);
  }

private:
  // The paper's way: P2 is copied into the frame that holds P0. Two cases need no copy. A shared
  // base is not written. A page that was not rewound was found equal to P0.
  Stay commit_in_place(Entry& entry) {
    if (entry.rewound && !entry.base_shared) copy(entry.base, entry.work);
    return Stay::Leave;
  }

  // P1 equals P2, so the frame with P1 is the next base, and the old base is the next spare. A
  // shared base cannot become a spare: a fresh frame does, or the page leaves.
  Stay rotate(Entry& entry) {
    if (!entry.rewound) return Stay::Predicted;
    Frame next_spare = entry.base;
    if (entry.base_shared) {
      const std::optional<Frame> fresh = space_.allocate();
      if (!fresh) return Stay::Leave;
      next_spare = *fresh;
    }
    entry.base = entry.spare;
    entry.base_check = entry.first_check;
    entry.base_shared = false;
    entry.spare = next_spare;
    return Stay::Predicted;
  }

  static void begin_anew(Entry& entry) {
    entry.joined_now = entry.first_dirty = entry.second_dirty = entry.rewound = false;
  }

  void copy(Frame to, Frame from) {
    ++statistics_.copies;
    space_.copy(to, from);
  }

  void map(Page page, Frame frame, Write write) {
    ++statistics_.remaps;
    space_.map(page, frame, write);
  }

  S& space_;
  Policy policy_;
  Statistics& statistics_;
};

}  // namespace dwc
