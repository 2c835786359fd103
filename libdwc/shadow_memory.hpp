// A context's memory as a PE sees it: the page set and its frames as a whole. Pages join at their
// first write. All of them go back to P0 together, or forward to the committed state. Pages that
// stay clean are write-protected again. shadow_frames.hpp has the frames of one page.
//
// Invariant: every page that the context can write without a fault is in the set, touched or clean.
// A translation that says otherwise is invalidated before the context runs again.
//
// A PE costs nothing for a page that sleeps, one look at the dirty bit in each run for a page that
// is clean, and the frames' work for one that was touched.
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

  ShadowMemory(S& space, const Settings& settings, std::span<Entry> lent, Statistics& statistics)
      : space_{space},
        settings_{settings},
        statistics_{statistics},
        set_{space, lent},
        frames_{space, settings.policy, statistics},
        budget_{settings.page_budget} {}

  [[nodiscard]] PageSet<S>& set() { return set_; }
  [[nodiscard]] const PageSet<S>& set() const { return set_; }

  // Between PEs: how many pages the next one may modify. What is too much falls asleep.
  void set_budget(std::size_t pages) {
    budget_ = pages;
    if (set_.writable() <= budget_) return;
    while (set_.writable() > budget_) retire(*set_.of(Queue::Clean).oldest());
    space_.invalidate_all();
  }

  enum class Admission : std::uint8_t { Known, Joined, Refused };

  // A write fault of the first run: the page joins or wakes up, unless it is known. If that is one
  // too many, or the frames have run out, predicted pages that are still clean give way. Refused:
  // there is no room in this PE.
  [[nodiscard]] Admission admit(Page page) {
    Entry* entry = set_.find(space_.number(page));
    if (is_known(entry)) {
      space_.invalidate(page);
      return Admission::Known;
    }
    if (set_.writable() >= budget_) {
      const bool room = make_room();
      if (!room) return Admission::Refused;
      entry = set_.find(space_.number(page));  // what gave way may have put the page out
    }
    if (entry == nullptr) return join(page) ? Admission::Joined : Admission::Refused;
    wake(*entry);
    return Admission::Joined;
  }

  // A fault on a writable page of the set comes from an outdated translation, which is invalidated.
  [[nodiscard]] bool knows(Page page) {
    if (!is_known(set_.find(space_.number(page)))) return false;
    space_.invalidate(page);
    return true;
  }

  // Whether ending the PE here makes room: the pages that it modified become predictions, and those
  // can give way.
  [[nodiscard]] bool commit_makes_room() {
    if (set_.writable() >= budget_) return true;
    for (const Queue queue : {Queue::Touched, Queue::Clean}) {
      for (const Entry& entry : set_.of(queue)) {
        if (space_.dirty(entry.page)) return true;
      }
    }
    return false;
  }

  // The dirty bits can be believed: they were cleared before the run, and the translations
  // invalidated. With check=full every writable page counts as touched.
  void note_modified(WhichRun run) {
    for (Entry& entry : set_.touched()) entry.set_dirty_in(run, space_.dirty(entry.page));
    Entry* next = nullptr;
    for (Entry* entry = set_.of(Queue::Clean).oldest(); entry != nullptr; entry = next) {
      next = set_.of(Queue::Clean).next(*entry);
      const bool dirty = space_.dirty(entry->page);
      if (!dirty && !full_check()) continue;
      entry->set_dirty_in(run, dirty);
      set_.move(*entry, Queue::Touched);
    }
  }

  // From P1 to P0, for the second run. All translations go, even if none has changed: one that went
  // bad in the first run would mislead the second alike.
  void rewind() {
    for (Entry& entry : set_.touched()) {
      if (entry.first_dirty || full_check()) frames_.rewind(entry);
    }
    space_.invalidate_all();
  }

  // P2 becomes the context's state. Returns how many pages the PE modified.
  std::size_t commit() {
    std::size_t modified = 0;
    const std::size_t size = set_.size(), asleep = set_.size(Queue::Asleep);
    bool changed = !set_.touched().empty();
    ++commits_;
    Entry* next = nullptr;
    for (Entry* entry = set_.touched().oldest(); entry != nullptr; entry = next) {
      if (entry->dirty_in_either()) {
        ++modified;
        entry->written_at = commits_;
        count_prediction(*entry);
      }
      const bool leaves = frames_.commit(*entry) == Stay::Leave;
      next = leaves ? release(*entry) : set_.touched().next(*entry);
    }
    set_.clean_touched();
    retire_old();
    give_back();
    changed = changed || set_.size() != size || set_.size(Queue::Asleep) != asleep;
    if (changed) space_.invalidate_all();
    return modified;
  }

  // Every writable page of the set becomes P0 again, for another first run, whatever its dirty bit
  // says: a page that no run wrote may hold a flip that one of them has read. Returns the first
  // page whose base no longer has its check word.
  [[nodiscard]] std::optional<Page> restore() {
    set_.clean_touched();
    std::optional<Page> corrupt;
    for (Entry& entry : set_.of(Queue::Clean)) {
      const bool intact = frames_.restore(entry);
      if (!intact && !corrupt) corrupt = entry.page;
    }
    space_.invalidate_all();
    return corrupt;
  }

  void forget(typename S::PageNumber number) {
    Entry* const entry = set_.find(number);
    if (entry == nullptr) return;
    const Page page = entry->page;
    release(*entry);
    space_.invalidate(page);
  }

  // Outside of a PE no page is touched.
  void forget_modified() {
    Entry* next = nullptr;
    for (Entry* entry = set_.of(Queue::Clean).oldest(); entry != nullptr; entry = next) {
      next = space_.dirty(entry->page) ? release(*entry) : set_.of(Queue::Clean).next(*entry);
    }
    space_.invalidate_all();
  }

  void clear() {
    for (const Queue queue : {Queue::Touched, Queue::Clean, Queue::Asleep}) {
      while (Entry* const entry = set_.of(queue).oldest()) release(*entry);
    }
    space_.invalidate_all();
  }

private:
  using Stay = typename ShadowFrames<S>::Stay;
  enum class Keep : std::uint8_t { Frames, Nothing };

  static constexpr std::size_t most_given_back = 256;  // pages, at one commit

  [[nodiscard]] static bool is_known(const Entry* entry) {
    return entry != nullptr && entry->queue != Queue::Asleep;
  }

  // For one page more.
  [[nodiscard]] bool make_room() {
    while (set_.writable() >= budget_) {
      const bool room = give_one_up(Keep::Frames);
      if (!room) return false;
    }
    return true;
  }

  [[nodiscard]] bool join(Page page) {
    for (;;) {
      if (Entry* const entry = set_.reserve_place()) {
        if (frames_.join(page, *entry)) {
          entry->written_at = commits_;
          set_.add(*entry);
          return true;
        }
        set_.release_place();
      }
      const bool room = give_one_up(Keep::Nothing);
      if (!room) return false;
    }
  }

  void count_prediction(const Entry& entry) {
    if (entry.joined_now) {
      ++statistics_.misses;
    } else {
      ++statistics_.hits;
    }
  }

  void wake(Entry& entry) {
    frames_.wake(entry);
    set_.move(entry, Queue::Touched);
    ++statistics_.woken;
  }

  // Returns the next one of its queue.
  Entry* release(Entry& entry) {
    frames_.release(entry);
    return set_.remove(entry);
  }

  // A clean page is write-protected. It sleeps, or it leaves if no page may sleep. The caller
  // invalidates.
  void retire(Entry& entry) {
    if (settings_.most_asleep == 0) {
      release(entry);
      return;
    }
    frames_.fall_asleep(entry);
    set_.move(entry, Queue::Asleep);
    if (set_.size(Queue::Asleep) > settings_.most_asleep) drop_oldest_asleep();
  }

  void drop_oldest_asleep() { release(*set_.of(Queue::Asleep).oldest()); }

  // Pages that stayed clean for long.
  void retire_old() {
    while (Entry* const oldest = set_.of(Queue::Clean).oldest()) {
      if (commits_ - oldest->written_at < settings_.clean_limit) return;
      retire(*oldest);
    }
  }

  // Beyond the places that cost no frame, a set has at most as many pages as frames are free. A
  // page takes two frames more, so a set has at most two thirds of the frames that it shares with
  // others. Pages that sleep go first.
  void give_back() {
    for (std::size_t i = 0; i < most_given_back; ++i) {
      if (set_.size() <= set_.lent() || set_.size() <= space_.free_frames()) return;
      Entry* const asleep = set_.of(Queue::Asleep).oldest();
      release(asleep != nullptr ? *asleep : *set_.of(Queue::Clean).oldest());
      ++statistics_.evictions;
    }
  }

  // The predicted page that has been clean for longest gives way: it is write-protected, or leaves
  // the set. Where frames are missing, one that sleeps leaves before it. False: there is none.
  // Pages that joined in this run stay, so that an instruction that writes two pages gets both.
  [[nodiscard]] bool give_one_up(Keep keep) {
    if (keep == Keep::Nothing && !set_.of(Queue::Asleep).empty()) {
      drop_oldest_asleep();
      ++statistics_.evictions;
      return true;
    }
    while (Entry* const oldest = set_.of(Queue::Clean).oldest()) {
      if (!clean_so_far(*oldest)) {
        set_.move(*oldest, Queue::Touched);
        continue;
      }
      const Page page = oldest->page;
      if (keep == Keep::Frames) {
        retire(*oldest);
      } else {
        release(*oldest);
      }
      space_.invalidate(page);
      ++statistics_.evictions;
      return true;
    }
    return false;
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
  std::size_t budget_;         // of the PE under way or, between two, of the next one
  std::uint64_t commits_ = 0;  // so far: the clock by which pages age
};

}  // namespace dwc
