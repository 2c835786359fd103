// The registers of the modelled PMU; see pmu_model.hpp.
#include "pmu_model.hpp"

namespace pmu {
namespace {

// IA32_FIXED_CTR_CTRL, the four bits of fixed counter 0 (Intel SDM Vol. 3B §20.2.2).
constexpr std::uint64_t kCountRing0 = 1;
constexpr std::uint64_t kCountUser = 2;
constexpr std::uint64_t kInterruptEnable = 8;
// Bit 2 (AnyThread) is of version 3. Counters 1 and 2 keep their bits but never count.
constexpr std::uint64_t kControlDefined = 0xbbb;

// Bit 32 of the three global registers belongs to fixed counter 0.
constexpr std::uint64_t kFixed0 = std::uint64_t{1} << 32;
constexpr std::uint64_t kGlobalControlDefined = std::uint64_t{7} << 32;
// Software may clear OvfBuf and CondChgd besides the counters' overflow bits.
constexpr std::uint64_t kClearDefined = kGlobalControlDefined | std::uint64_t{3} << 62;

}  // namespace

FixedCounter::FixedCounter(unsigned width) : mask_{(std::uint64_t{1} << width) - 1} {}

void FixedCounter::reset() {
  value_ = looked_at_ = control_ = global_control_ = status_ = 0;
  counts_user_ = counts_kernel_ = 0;
  wraps_at_ = kNever;
  interrupt_due_ = false;
}

std::uint64_t FixedCounter::accept(std::uint64_t value, std::uint64_t defined) {
  if ((value & ~defined) != 0) ++faulty_writes_;
  return value & defined;
}

void FixedCounter::look(Retired now) {
  const std::uint64_t count = events(now);
  value_ += count - looked_at_;
  looked_at_ = count;
  if (wraps_at_ == kNever || count < wraps_at_) return;
  value_ &= mask_;
  last_wrap_ = wraps_at_;
  wraps_at_ += mask_ + 1;
  status_ |= kFixed0;
  interrupt_due_ = interrupt_due_ || (control_ & kInterruptEnable) != 0;
}

void FixedCounter::restart(Retired now) {
  const bool enabled = (global_control_ & kFixed0) != 0;
  counts_user_ = enabled && (control_ & kCountUser) != 0 ? kNever : 0;
  counts_kernel_ = enabled && (control_ & kCountRing0) != 0 ? kNever : 0;
  looked_at_ = events(now);
  const bool counts = (counts_user_ | counts_kernel_) != 0;
  wraps_at_ = counts ? looked_at_ + (mask_ + 1 - value_) : kNever;
}

bool FixedCounter::overflowed(Retired now) {
  look(now);
  const bool due = interrupt_due_;
  interrupt_due_ = false;
  return due;
}

bool FixedCounter::status_pending() const { return (status_ & kFixed0) != 0; }

bool FixedCounter::write(std::uint32_t msr, std::uint64_t value, Retired now) {
  look(now);
  switch (static_cast<Msr>(msr)) {
    case Msr::FixedCounter0: value_ = accept(value, mask_); break;
    case Msr::FixedCounterControl: control_ = accept(value, kControlDefined); break;
    case Msr::GlobalControl: global_control_ = accept(value, kGlobalControlDefined); break;
    case Msr::GlobalOverflowControl: status_ &= ~accept(value, kClearDefined); break;
    case Msr::GlobalStatus:
    case Msr::PerfCapabilities: ++faulty_writes_; break;
    default: return false;
  }
  restart(now);
  return true;
}

std::optional<std::uint64_t> FixedCounter::read(std::uint32_t msr, Retired now) {
  look(now);
  switch (static_cast<Msr>(msr)) {
    case Msr::FixedCounter0: return value_;
    case Msr::FixedCounterControl: return control_;
    case Msr::GlobalControl: return global_control_;
    case Msr::GlobalStatus: return status_;
    case Msr::GlobalOverflowControl:
    case Msr::PerfCapabilities: return 0;
  }
  return std::nullopt;
}

}  // namespace pmu
