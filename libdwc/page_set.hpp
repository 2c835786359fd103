// The pages that a PE has modified, or is predicted to modify, each with its three frames
// (shadow_frames.hpp says what the frames are for). Every other page of the process is
// write-protected, so the set knows of each write. Each page is in one of three queues:
//
//   touched   the PE under way has modified the page, or a write fault has let it in
//   clean     predicted: writable, and as it was when the PE began, as far as anybody has looked
//   asleep    write-protected, but its frames are kept: a write fault needs no copy
//
// A page is found, added, moved and removed in constant time: page_index.hpp finds it,
// page_queue.hpp keeps the queues by age, page_storage.hpp has the places. Index and places grow by
// frames of the space and give them back. Invariant: an entry is in the index and in the queue that
// it names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "libdwc/core.hpp"
#include "libdwc/page_index.hpp"
#include "libdwc/page_queue.hpp"
#include "libdwc/page_storage.hpp"
#include "libdwc/space.hpp"

namespace dwc {

// A broken contract between the engine and its caller: nothing sensible can follow, so the program
// traps on the spot (in the kernel an invalid-opcode exception, which panics).
constexpr void require(bool kept) {
  if (!kept) __builtin_trap();
}

enum class Queue : std::uint8_t { Touched, Clean, Asleep, count };

template <Space S>
struct PageEntry : PageLink {
  typename S::Page page{};
  typename S::Frame work{};       // mapped, written in place
  typename S::Frame base{};       // P0, the content at the start of the PE; never mapped
  typename S::Frame spare{};      // for the second run; from rewind to commit it holds P1
  std::uint64_t base_check = 0;   // check word of P0
  std::uint64_t first_check = 0;  // check word of P1, once it has been compared
  std::uint64_t written_at = 0;   // the last commit of a PE that modified the page
  bool base_shared = false;       // the base is a zero page or a file: not ours to write or release
  bool joined_now = false;        // a write fault of this PE let it in: it was not predicted
  bool first_dirty = false;
  bool second_dirty = false;
  bool rewound = false;  // spare holds P1, work began the second run as a copy of P0

  // The set's own: where the entry stands in it, beside its links.
  Queue queue = Queue::Touched;
  PageEntry* next_in_bucket = nullptr;

  [[nodiscard]] bool dirty_in(WhichRun run) const {
    return run == WhichRun::First ? first_dirty : second_dirty;
  }
  void set_dirty_in(WhichRun run, bool dirty) {
    if (run == WhichRun::First) {
      first_dirty = dirty;
    } else {
      second_dirty = dirty;
    }
  }
  [[nodiscard]] bool dirty_in_either() const { return first_dirty || second_dirty; }
};

// Tests put another index in, with a bug.
template <Space S, template <class, class> class Index = PageIndex>
class PageSet {
public:
  using Entry = PageEntry<S>;

  PageSet(S& space, std::span<Entry> lent) : storage_{space, lent}, index_{space} {}

  [[nodiscard]] std::size_t size() const { return writable() + size(Queue::Asleep); }
  [[nodiscard]] std::size_t size(Queue queue) const { return of(queue).size(); }
  // Pages that the context can write without a fault.
  [[nodiscard]] std::size_t writable() const { return size(Queue::Touched) + size(Queue::Clean); }
  // Places that cost no frame.
  [[nodiscard]] std::size_t lent() const { return storage_.lent(); }
  // Frames that the set itself takes, beside those of its pages.
  [[nodiscard]] std::size_t frames() const { return storage_.frames() + index_.frames(); }

  [[nodiscard]] const PageQueue<Entry>& of(Queue queue) const {
    return queues_[static_cast<std::size_t>(queue)];
  }
  [[nodiscard]] PageQueue<Entry>& of(Queue queue) {
    return queues_[static_cast<std::size_t>(queue)];
  }
  [[nodiscard]] PageQueue<Entry>& touched() { return of(Queue::Touched); }

  [[nodiscard]] Entry* find(typename S::PageNumber number) { return index_.find(number); }

  // A new entry, which is not in the set before add(). Nothing: there is no place. It may take a
  // frame, which release_place() or removing the entry gives back.
  [[nodiscard]] Entry* reserve_place() { return storage_.reserve(); }
  void release_place() { storage_.trim(); }

  // The reserved entry, of a page that is not in the set, becomes the newest one that is touched.
  void add(Entry& entry) {
    storage_.keep_reserved();
    entry.queue = Queue::Touched;
    touched().push(entry);
    index_.insert(entry);
  }

  // The entry becomes the newest one of the queue.
  void move(Entry& entry, Queue queue) {
    of(entry.queue).remove(entry);
    entry.queue = queue;
    of(queue).push(entry);
  }

  // All pages that are touched become the newest ones that are clean.
  void clean_touched() {
    for (Entry& entry : touched()) entry.queue = Queue::Clean;
    of(Queue::Clean).take_all(touched());
  }

  // The next newer one of its queue.
  [[nodiscard]] Entry* next(const Entry& entry) const { return of(entry.queue).next(entry); }

  // The last entry moves into the gap. Returns the next newer one of the queue, wherever that is.
  Entry* remove(Entry& entry) {
    Entry* const last = storage_.last();
    Entry* next = this->next(entry);
    if (next == last) next = &entry;
    of(entry.queue).remove(entry);
    index_.remove(entry);
    if (&entry != last) relocate(*last, entry);
    storage_.drop_last();
    return next;
  }

  [[nodiscard]] std::size_t count_dirty_in(WhichRun run) {
    std::size_t count = 0;
    for (const Entry& entry : touched()) {
      if (entry.dirty_in(run)) ++count;
    }
    return count;
  }

  // The k-th page that `run` modified, in the order in which the set learned of it.
  [[nodiscard]] const Entry& dirty_in(WhichRun run, std::size_t k) {
    for (const Entry& entry : touched()) {
      if (!entry.dirty_in(run)) continue;
      if (k == 0) return entry;
      --k;
    }
    require(false);
    __builtin_unreachable();
  }

  // The same of the writable pages that `run` has not modified; touched ones come first.
  [[nodiscard]] std::size_t count_clean_in(WhichRun run) {
    return writable() - count_dirty_in(run);
  }
  [[nodiscard]] const Entry& clean_in(WhichRun run, std::size_t k) {
    for (const Queue queue : {Queue::Touched, Queue::Clean}) {
      for (const Entry& entry : of(queue)) {
        if (entry.dirty_in(run)) continue;
        if (k == 0) return entry;
        --k;
      }
    }
    require(false);
    __builtin_unreachable();
  }

private:
  void relocate(Entry& from, Entry& to) {
    index_.moved(from, to);
    to = from;
    of(to.queue).moved(to);
  }

  PageStorage<S, Entry> storage_;
  Index<S, Entry> index_;
  std::array<PageQueue<Entry>, static_cast<std::size_t>(Queue::count)> queues_;
};

}  // namespace dwc
