// Where the entries of a page set lie: first in the places that the caller has lent, then in frames
// of the space, one after another without gaps. So the last entry can fill the place of one that
// leaves, and a frame is given back as soon as nothing lies in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>

#include "libdwc/space.hpp"

namespace dwc {

template <Space S, class Entry>
class PageStorage {
public:
  PageStorage(S& space, std::span<Entry> lent) : space_{space}, lent_{lent}, places_{lent} {}
  PageStorage(const PageStorage&) = delete;
  PageStorage& operator=(const PageStorage&) = delete;

  [[nodiscard]] std::size_t lent() const { return lent_.size(); }
  // Frames that hold entries.
  [[nodiscard]] std::size_t frames() const { return frames_; }

  // A new entry in the next place, for which a frame may be taken. Nothing: there is none. The
  // entry counts once it is kept; else trim() follows.
  [[nodiscard]] Entry* reserve() {
    const bool room = used_ < places_.size() || add_frame();
    return room ? new (&places_[used_]) Entry{} : nullptr;
  }
  void keep_reserved() { ++used_; }

  // There must be one.
  [[nodiscard]] Entry* last() { return &places_[used_ - 1]; }

  void drop_last() {
    --used_;
    trim();
  }

  // A place that was reserved and not used goes back.
  void trim() {
    if (used_ == 0 && frames_ != 0) release_top();
  }

private:
  using Frame = typename S::Frame;
  struct alignas(Entry) Header {
    Frame below;  // the frame that was filled before; nothing in the first one
  };

  [[nodiscard]] std::span<Entry> places_in(Frame frame) {
    const std::span<std::uint64_t> words = space_.words(frame);
    auto* const header = reinterpret_cast<Header*>(words.data());
    auto* const first = reinterpret_cast<Entry*>(header + 1);
    return {first, (words.size_bytes() - sizeof(Header)) / sizeof(Entry)};
  }

  [[nodiscard]] bool add_frame() {
    const std::optional<Frame> frame = space_.allocate();
    if (!frame) return false;
    const Frame below = top_;
    top_ = *frame;
    ++frames_;
    new (space_.words(top_).data()) Header{below};
    places_ = places_in(top_);
    used_ = 0;
    return true;
  }

  void release_top() {
    const Frame emptied = top_;
    top_ = reinterpret_cast<const Header*>(space_.words(emptied).data())->below;
    --frames_;
    places_ = frames_ == 0 ? lent_ : places_in(top_);
    used_ = places_.size();
    space_.release(emptied);
  }

  S& space_;
  std::span<Entry> lent_;
  std::span<Entry> places_;  // of the frame that is being filled, or the lent ones
  std::size_t used_ = 0;     // of these
  std::size_t frames_ = 0;
  Frame top_{};
};

}  // namespace dwc
