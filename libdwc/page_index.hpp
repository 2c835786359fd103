// Finds an entry of the page set by its page's number: a hash table that grows and shrinks by one
// bucket at a time (linear hashing: Litwin, VLDB 1980). So no insertion takes long, however large
// the set is. The first buckets are part of the object; the others lie in frames of the space.
//
// Without a frame for more buckets the chains become longer, and nothing else changes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libdwc/space.hpp"

namespace dwc {

template <class S, class Entry>
class PageIndex {
public:
  explicit PageIndex(S& space) : space_{space} {}
  PageIndex(const PageIndex&) = delete;
  PageIndex& operator=(const PageIndex&) = delete;

  // Frames that hold buckets.
  [[nodiscard]] std::size_t frames() const {
    return (count_ - own_buckets + in_frame - 1) / in_frame;
  }

  [[nodiscard]] Entry* find(typename S::PageNumber number) {
    Entry* entry = bucket(bucket_of(number));
    while (entry != nullptr && space_.number(entry->page) != number) entry = entry->next_in_bucket;
    return entry;
  }

  void insert(Entry& entry) {
    ++entries_;
    if (entries_ > count_) split();
    put(entry);
  }

  void remove(Entry& entry) {
    link_to(entry) = entry.next_in_bucket;
    --entries_;
    if (count_ > own_buckets && count_ > entries_ + slack) merge();
  }

  // An entry has been copied from one place to another.
  void moved(Entry& from, Entry& to) { link_to(from) = &to; }

protected:
  static constexpr std::size_t own_buckets = 64;  // in the object
  static constexpr std::size_t in_frame = 512;    // of buckets
  static constexpr std::size_t most_frames = 128;
  static constexpr std::size_t slack = 32;  // buckets that are kept, so that few split anew

  [[nodiscard]] Entry*& bucket(std::size_t i) {
    if (i < own_buckets) return own_[i];
    const std::size_t beyond = i - own_buckets;
    const std::span<std::uint64_t> words = space_.words(frames_[beyond / in_frame]);
    return reinterpret_cast<Entry**>(words.data())[beyond % in_frame];
  }

  // Buckets that have not been split yet take what belongs to their other half.
  [[nodiscard]] std::size_t bucket_of(typename S::PageNumber number) {
    const std::size_t hash = space_.ordinal(number) * 0x9e3779b97f4a7c15 >> 40;
    const std::size_t bucket = hash & (span_ - 1);
    return bucket < count_ ? bucket : other_half(bucket);
  }

  // The bucket that is, or was, split into two, of which `bucket` is the upper one.
  [[nodiscard]] std::size_t other_half(std::size_t bucket) const {
    return bucket & (span_ / 2 - 1);
  }

  // What points to the entry.
  [[nodiscard]] Entry*& link_to(const Entry& entry) {
    Entry** link = &bucket(bucket_of(space_.number(entry.page)));
    while (*link != &entry) link = &(*link)->next_in_bucket;
    return *link;
  }

  void put(Entry& entry) {
    Entry*& first = bucket(bucket_of(space_.number(entry.page)));
    entry.next_in_bucket = first;
    first = &entry;
  }

  void put_all(Entry* chain) {
    while (chain != nullptr) {
      Entry* const next = chain->next_in_bucket;
      put(*chain);
      chain = next;
    }
  }

  [[nodiscard]] Entry* take_all(std::size_t i) {
    Entry* const chain = bucket(i);
    bucket(i) = nullptr;
    return chain;
  }

  // Adds a bucket. It takes what belongs to it out of its other half.
  void split() {
    const std::size_t beyond = count_ - own_buckets;
    if (beyond % in_frame == 0) {
      if (beyond / in_frame == most_frames) return;
      const std::optional<typename S::Frame> frame = space_.allocate();
      if (!frame) return;
      frames_[beyond / in_frame] = *frame;
    }
    ++count_;
    span_ = std::bit_ceil(count_);
    bucket(count_ - 1) = nullptr;
    put_all(take_all(other_half(count_ - 1)));
  }

  void merge() {
    const std::size_t used = frames();
    Entry* const chain = take_all(count_ - 1);
    --count_;
    span_ = std::bit_ceil(count_);
    put_all(chain);
    if (frames() != used) space_.release(frames_[used - 1]);
  }

  S& space_;
  std::array<Entry*, own_buckets> own_{};
  std::array<typename S::Frame, most_frames> frames_{};
  std::size_t entries_ = 0;
  std::size_t count_ = own_buckets;  // of buckets
  std::size_t span_ = own_buckets;   // the power of two that they lie in
};

}  // namespace dwc
