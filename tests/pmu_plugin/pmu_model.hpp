// The modelled PMU: it takes writes to MSRs and gives counter values and overflows. It knows
// nothing of QEMU. It has one counter, IA32_FIXED_CTR0 (INST_RETIRED.ANY), after Intel SDM Vol. 3B
// §20.2 (architectural performance monitoring, version 2). The caller passes the time: how many
// instructions have retired in user mode (CPL above 0) and in ring 0 since power on. The model
// keeps the counter's value and the event count at its last look, so no code has to run for each
// instruction.
#pragma once

#include <cstdint>
#include <optional>

namespace pmu {

struct Retired {
  std::uint64_t user = 0;
  std::uint64_t kernel = 0;
  [[nodiscard]] std::uint64_t total() const { return user + kernel; }
};

enum class Msr : std::uint32_t {
  FixedCounter0 = 0x309,
  PerfCapabilities = 0x345,
  FixedCounterControl = 0x38d,
  GlobalStatus = 0x38e,
  GlobalControl = 0x38f,
  GlobalOverflowControl = 0x390,
};

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

class FixedCounter {
public:
  explicit FixedCounter(unsigned width);

  void reset();

  // True if the MSR belongs to the PMU. Some writes would raise #GP on a real machine (reserved
  // bits, a read-only register). The model takes them without those bits, and counts them.
  bool write(std::uint32_t msr, std::uint64_t value, Retired now);
  [[nodiscard]] std::optional<std::uint64_t> read(std::uint32_t msr, Retired now);

  // Brings value and status up to `now`. True if the counter wrapped since the last look and an
  // interrupt is asked for.
  [[nodiscard]] bool overflowed(Retired now);

  // The event count (see events()) at which the counter wraps next; kNever while it stands still.
  [[nodiscard]] std::uint64_t wraps_at() const { return wraps_at_; }
  [[nodiscard]] std::uint64_t events(Retired now) const {
    return (now.user & counts_user_) + (now.kernel & counts_kernel_);
  }
  [[nodiscard]] bool counts_user() const { return counts_user_ != 0; }
  [[nodiscard]] bool counts_kernel() const { return counts_kernel_ != 0; }
  [[nodiscard]] bool status_pending() const;
  [[nodiscard]] std::uint64_t last_wrap() const { return last_wrap_; }
  [[nodiscard]] unsigned faulty_writes() const { return faulty_writes_; }

private:
  void look(Retired now);
  void restart(Retired now);
  std::uint64_t accept(std::uint64_t value, std::uint64_t defined);

  std::uint64_t mask_;  // the counter's defined bits
  std::uint64_t value_ = 0;
  std::uint64_t looked_at_ = 0;  // event count when value_ was true
  std::uint64_t wraps_at_ = kNever;
  std::uint64_t last_wrap_ = 0;
  std::uint64_t control_ = 0;
  std::uint64_t global_control_ = 0;
  std::uint64_t status_ = 0;
  std::uint64_t counts_user_ = 0;    // all ones or zero
  std::uint64_t counts_kernel_ = 0;  // all ones or zero
  bool interrupt_due_ = false;
  unsigned faulty_writes_ = 0;
};

}  // namespace pmu
