// Entries of the page set in order of age. The links stand in the entries themselves, so an entry
// joins, leaves and moves in constant time. An entry is in one queue at a time.
//
// The links are a ring that the queue's own link closes: so every entry has two neighbours.
#pragma once

#include <cstddef>

namespace dwc {

struct PageLink {
  PageLink* older = nullptr;
  PageLink* newer = nullptr;
};

template <class Entry>
class PageQueue {
public:
  PageQueue() { clear(); }
  PageQueue(const PageQueue&) = delete;
  PageQueue& operator=(const PageQueue&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Entry* oldest() const { return entry_at(ring_.newer); }
  // Nothing behind the newest entry.
  [[nodiscard]] Entry* next(const Entry& entry) const { return entry_at(entry.newer); }

  void push(Entry& entry) {
    link(*ring_.older, entry);
    link(entry, ring_);
    ++size_;
  }

  void remove(Entry& entry) {
    link(*entry.older, *entry.newer);
    --size_;
  }

  // An entry of this queue has been copied to another place.
  void moved(Entry& to) {
    link(*to.older, to);
    link(to, *to.newer);
  }

  // All entries of the other queue become the newest ones of this.
  void take_all(PageQueue& other) {
    if (other.empty()) return;
    link(*ring_.older, *other.ring_.newer);
    link(*other.ring_.older, ring_);
    size_ += other.size_;
    other.clear();
  }

  // From the oldest on. An entry may not leave the queue before the walk has passed it.
  template <class E>
  class Iterator {
  public:
    Iterator(const PageQueue& queue, E* entry) : queue_{queue}, entry_{entry} {}
    [[nodiscard]] E& operator*() const { return *entry_; }
    Iterator& operator++() {
      entry_ = queue_.next(*entry_);
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.entry_ == b.entry_; }

  private:
    const PageQueue& queue_;
    E* entry_;
  };
  [[nodiscard]] Iterator<Entry> begin() { return {*this, oldest()}; }
  [[nodiscard]] Iterator<Entry> end() { return {*this, nullptr}; }
  [[nodiscard]] Iterator<const Entry> begin() const { return {*this, oldest()}; }
  [[nodiscard]] Iterator<const Entry> end() const { return {*this, nullptr}; }

private:
  static void link(PageLink& older, PageLink& newer) {
    older.newer = &newer;
    newer.older = &older;
  }
  [[nodiscard]] Entry* entry_at(PageLink* link) const {
    return link == &ring_ ? nullptr : static_cast<Entry*>(link);
  }
  void clear() {
    link(ring_, ring_);
    size_ = 0;
  }

  PageLink ring_;  // its `newer` is the oldest entry, its `older` the newest
  std::size_t size_ = 0;
};

}  // namespace dwc
