#include "tests/libdwc/fake_counter.hpp"

namespace fake {

using Lie = CounterModel::Lie;

std::uint64_t FakeCounter::up_to(std::uint64_t most) {
  if (most == 0) return 0;
  noise_ = noise_ * 6364136223846793005 + 1442695040888963407;
  return (noise_ >> 33) % (most + 1);
}

std::uint64_t FakeCounter::read() {
  if (model_.lie == Lie::Garbage) return up_to(1) == 0 ? up_to(1000) : up_to(~0u) << 33;
  return model_.lie == Lie::CountsNothing ? 0 : count_;
}

void FakeCounter::stop_at(std::uint64_t count) {
  armed_ = count != 0;
  stop_at_ = count;
  late_ = up_to(model_.skid);
  if (up_to(3) == 0) late_ += up_to(model_.skid_beyond);
}

void FakeCounter::retired(bool repeats_on) {
  if (armed_ && count_ >= stop_at_ && late_ != 0) --late_;
  if (!repeats_on || model_.repeats == CounterModel::Repeats::EachIteration) ++count_;
}

bool FakeCounter::overflows() {
  if (!armed_) return false;
  bool now = count_ >= stop_at_ && late_ == 0;
  if (model_.lie == Lie::NeverOverflows || model_.lie == Lie::CountsNothing) now = false;
  if (model_.lie == Lie::Garbage) now = up_to(30) == 0;
  if (model_.lie == Lie::StaleAlways) now = true;
  if (stale_left_ != 0) now = true, --stale_left_;
  if (now) armed_ = false;
  return now;
}

}  // namespace fake
