#include "user/linux/regions.hpp"

namespace personality {

std::size_t Regions::lower(std::uint64_t address) const {
  std::size_t low = 0, high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (regions_[middle].end > address) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

void Regions::open(std::size_t index) {
  for (std::size_t i = count_; i > index; --i) regions_[i] = regions_[i - 1];
  ++count_;
}

void Regions::close(std::size_t index) {
  --count_;
  for (std::size_t i = index; i < count_; ++i) regions_[i] = regions_[i + 1];
}

bool Regions::carve(std::uint64_t start, std::uint64_t end) {
  std::size_t index = lower(start);
  const bool begins_before = index < count_ && regions_[index].start < start;
  if (begins_before && regions_[index].end > end) {
    if (count_ == capacity) return false;
    open(index);
    regions_[index].end = start;
    regions_[index + 1].start = end;
    return true;
  }
  if (begins_before) {
    regions_[index].end = start;
    ++index;
  }
  while (index < count_ && regions_[index].end <= end) close(index);
  if (index < count_ && regions_[index].start < end) regions_[index].start = end;
  return true;
}

void Regions::merge_with_next(std::size_t index) {
  if (index + 1 >= count_) return;
  Region& left = regions_[index];
  const Region& right = regions_[index + 1];
  const bool same_file = left.link == right.link && left.node == right.node &&
                         left.origin == right.origin && left.may_write == right.may_write;
  const bool alike =
      left.protection == right.protection && left.backed == right.backed && same_file;
  if (!alike || left.end != right.start) return;
  left.end = right.end;
  close(index + 1);
}

bool Regions::insert(const Region& region) {
  if (count_ + 2 > capacity || !carve(region.start, region.end)) return false;
  const std::size_t index = lower(region.start);
  open(index);
  regions_[index] = region;
  merge_with_next(index);
  if (index > 0) merge_with_next(index - 1);
  return true;
}

const Region* Regions::at_or_above(std::uint64_t address) const {
  const std::size_t index = lower(address);
  return index < count_ ? &regions_[index] : nullptr;
}

bool Regions::is_free(std::uint64_t start, std::uint64_t end) const {
  const std::size_t index = lower(start);
  return index == count_ || regions_[index].start >= end;
}

std::uint64_t Regions::find_gap(std::uint64_t low, std::uint64_t high, std::uint64_t bytes,
                                std::uint64_t slack) const {
  std::uint64_t at = low;
  for (std::size_t index = lower(low); index < count_ && regions_[index].start < high; ++index) {
    if (regions_[index].start > at && regions_[index].start - at >= bytes + slack) return at;
    if (regions_[index].end > at) at = regions_[index].end;
  }
  return at < high && high - at >= bytes + slack ? at : 0;
}

}  // namespace personality
