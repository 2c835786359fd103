// Entries of the page set in order of age. The links stand in the entries themselves, so an entry
// joins, leaves and moves in constant time. An entry is in one queue at a time.
#pragma once

#include <cstddef>

namespace dwc {

template <class Entry>
class PageQueue {
public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Entry* oldest() const { return oldest_; }

  void push(Entry& entry) {
    entry.older = newest_;
    entry.newer = nullptr;
    reference_from(entry.older, oldest_, &Entry::newer) = &entry;
    newest_ = &entry;
    ++size_;
  }

  void remove(Entry& entry) {
    reference_from(entry.older, oldest_, &Entry::newer) = entry.newer;
    reference_from(entry.newer, newest_, &Entry::older) = entry.older;
    --size_;
  }

  // An entry of this queue has been copied to another place.
  void moved(Entry& to) {
    reference_from(to.older, oldest_, &Entry::newer) = &to;
    reference_from(to.newer, newest_, &Entry::older) = &to;
  }

  // From the oldest on. An entry may not leave the queue before the walk has passed it.
  template <class E>
  class Iterator {
  public:
    explicit Iterator(E* entry) : entry_{entry} {}
    [[nodiscard]] E& operator*() const { return *entry_; }
    Iterator& operator++() {
      entry_ = entry_->newer;
      return *this;
    }
    friend bool operator==(Iterator, Iterator) = default;

  private:
    E* entry_;
  };
  [[nodiscard]] Iterator<Entry> begin() { return Iterator<Entry>{oldest_}; }
  [[nodiscard]] Iterator<Entry> end() { return Iterator<Entry>{nullptr}; }
  [[nodiscard]] Iterator<const Entry> begin() const { return Iterator<const Entry>{oldest_}; }
  [[nodiscard]] Iterator<const Entry> end() const { return Iterator<const Entry>{nullptr}; }

private:
  // The pointer that a neighbour has, or the queue itself where there is no neighbour.
  static Entry*& reference_from(Entry* neighbour, Entry*& own, Entry* Entry::*link) {
    return neighbour == nullptr ? own : neighbour->*link;
  }

  Entry* oldest_ = nullptr;
  Entry* newest_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dwc
