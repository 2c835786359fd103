// A context's memory as a PE sees it: the page set and its frames as a whole. Pages join at their
// first write. All of them go back to P0 together, or forward to the committed state. Predicted
// pages leave when room is short. shadow_frames.hpp has the frames of one page.
//
// Invariant: every page that the context can write without a fault is in the set. A translation
// that says otherwise is invalidated before the context runs again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libdwc/interface.hpp"
#include "libdwc/shadow_frames.hpp"

namespace dwc {

template <Space S>
class ShadowMemory {
public:
  using Page = typename S::Page;
  using Frame = typename S::Frame;
  using Entry = PageEntry<S>;

  ShadowMemory(S& space, const Settings& settings, std::span<Entry> storage, Statistics& statistics)
      : space_{space},
        settings_{settings},
        statistics_{statistics},
        set_{storage, settings.page_budget},
        frames_{space, settings.policy, statistics} {}

  [[nodiscard]] PageSet<S>& set() { return set_; }

  enum class Admission : std::uint8_t { Known, Joined, Refused };

  // A write fault of the first run: the page joins, unless it is known. If the set is full or the
  // frames have run out, predicted pages that are still clean leave. Refused: there is no room in
  // this PE.
  [[nodiscard]] Admission admit(Page page) {
    if (knows(page)) return Admission::Known;
    for (;;) {
      const bool joined = !set_.full() && join(page);
      if (joined) return Admission::Joined;
      const bool room = give_one_up();
      if (!room) return Admission::Refused;
    }
  }

  // A fault on a page of the set comes from an outdated translation, which is invalidated.
  [[nodiscard]] bool knows(Page page) {
    if (set_.find(page) == nullptr) return false;
    space_.invalidate(page);
    return true;
  }

  // Whether ending the PE here makes room: the pages that it modified become predictions, and those
  // can leave.
  [[nodiscard]] bool commit_makes_room() {
    if (set_.full()) return true;
    for (const Entry& entry : set_) {
      if (space_.dirty(entry.page)) return true;
    }
    return false;
  }

  // The dirty bits can be believed: they were cleared before the run, and the translations
  // invalidated.
  void note_modified(WhichRun run) {
    for (Entry& entry : set_) {
      entry.set_dirty_in(run, space_.dirty(entry.page));
    }
  }

  // From P1 to P0, for the second run.
  void rewind() {
    for (Entry& entry : set_) {
      if (entry.first_dirty || full_check()) frames_.rewind(entry);
    }
    space_.invalidate_all();
  }

  // P2 becomes the context's state. Pages that stayed clean for long leave the set. Returns how
  // many pages the PE modified.
  std::size_t commit() {
    std::size_t modified = 0;
    for (Entry* entry = set_.begin(); entry != set_.end();) {
      ++entry->clean_for;
      if (entry->dirty_in_either()) {
        ++modified;
        entry->clean_for = 0;
      }
      const auto stay = frames_.commit(*entry);
      if (stay == Stay::Predicted && entry->clean_for < settings_.clean_limit) {
        ++entry;
      } else {
        release(entry);
      }
    }
    space_.invalidate_all();
    return modified;
  }

  // Every page of the set becomes P0 again, for another first run, whatever its dirty bit says: a
  // page that no run wrote may hold a flip that one of them has read. Returns the first page whose
  // base no longer has its check word.
  [[nodiscard]] std::optional<Page> restore() {
    std::optional<Page> corrupt;
    for (Entry& entry : set_) {
      const bool intact = frames_.restore(entry);
      if (!intact && !corrupt) corrupt = entry.page;
    }
    space_.invalidate_all();
    return corrupt;
  }

  void forget(typename S::PageNumber number) {
    for (Entry& entry : set_) {
      if (space_.number(entry.page) != number) continue;
      const Page page = entry.page;
      release(&entry);
      space_.invalidate(page);
      return;
    }
  }

  void forget_modified() {
    for (Entry* entry = set_.begin(); entry != set_.end();) {
      if (space_.dirty(entry->page)) {
        release(entry);
      } else {
        ++entry;
      }
    }
    space_.invalidate_all();
  }

  void clear() {
    while (set_.size() != 0) release(set_.begin());
    space_.invalidate_all();
  }

private:
  using Stay = typename ShadowFrames<S>::Stay;

  [[nodiscard]] bool join(Page page) {
    const std::optional<Entry> entry = frames_.join(page);
    if (entry) set_.add(*entry);
    return entry.has_value();
  }

  void release(Entry* entry) {
    frames_.release(*entry);
    set_.remove(entry);
  }

  // The predicted page that has been clean for longest leaves. False: there is none. Pages that
  // joined in this run stay, so that an instruction that writes two pages gets both.
  [[nodiscard]] bool give_one_up() {
    Entry* oldest = nullptr;
    for (Entry& entry : set_) {
      if (entry.joined_now) continue;
      const bool older = oldest == nullptr || entry.clean_for > oldest->clean_for;
      if (older && clean_so_far(entry)) oldest = &entry;
    }
    if (oldest == nullptr) return false;
    const Page page = oldest->page;
    release(oldest);
    space_.invalidate(page);
    ++statistics_.evictions;
    return true;
  }

  // With check=full the dirty bit alone is not believed. This compares word by word, because the
  // space's fast comparison may use vector registers, and those still hold the context's values.
  [[nodiscard]] bool clean_so_far(const Entry& entry) {
    if (space_.dirty(entry.page)) return false;
    const std::span<const std::uint64_t> before = space_.words(entry.base);
    const std::span<const std::uint64_t> now = space_.words(entry.work);
    for (std::size_t i = 0; full_check() && i < now.size(); ++i) {
      if (now[i] != before[i]) return false;
    }
    return true;
  }

  [[nodiscard]] bool full_check() const { return settings_.check == CheckScope::Full; }

  S& space_;
  const Settings& settings_;
  Statistics& statistics_;
  PageSet<S> set_;
  ShadowFrames<S> frames_;
};

}  // namespace dwc
