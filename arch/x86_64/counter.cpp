// Which counter is used, the count over several stints in ring 3, and the stop.
#include "arch/x86_64/counter.hpp"

#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;
using reprise::CounterKind;

namespace {

// No counter: the second run is stopped by a breakpoint at the first run's RIP alone.
class Landmark final : public CounterBackEnd {
public:
  [[nodiscard]] bool start() const override { return true; }
  void enter(std::uint64_t) const override {}
  Stint left(std::uint64_t) const override { return {}; }
  void enter_guest(std::uint64_t) const override {}
  Stint left_guest(std::uint64_t, const GuestStamps&) const override { return {}; }
};

constexpr Landmark landmark{};

// Overflows are asked for in pieces that every counter and timer can hold, sign bit and all.
constexpr std::uint64_t longest_piece = 0x7fffffff;

const CounterBackEnd& back_end_of(CounterKind kind) {
  switch (kind) {
    case CounterKind::PmuIntel: return pmu_intel();
    case CounterKind::PmuAmd: return pmu_amd();
    case CounterKind::Icount: return icount();
    case CounterKind::Landmark: break;
  }
  return landmark;
}

const CounterBackEnd& back_end(const CountingState& counting) {
  return counting.back_end == nullptr ? landmark : *counting.back_end;
}

std::int64_t correction(const CountingState& counting, std::uint64_t reason) {
  const auto& corrections = counting.settings.corrections;
  if (reason == system_call_reason) return corrections.call;
  const auto vector = static_cast<std::uint8_t>(reason);
  const bool interrupt = vector == nmi_vector || vector >= exception_vectors;
  return interrupt ? corrections.interrupt : corrections.fault;
}

bool take_stop(CountingState& counting) {
  if (counting.stop == 0 || counting.counted < counting.stop) return false;
  counting.stop = 0;
  return true;
}

std::optional<Trap> overflow_trap(CountingState& counting, const CounterBackEnd::Stint& stint,
                                  std::uint64_t reason) {
  if (!stint.overflow) return std::nullopt;
  // Of an earlier stint, or one of several pieces: nothing to decide.
  const Trap::Kind kind = take_stop(counting) ? Trap::Kind::Counter : Trap::Kind::Device;
  return Trap{.kind = kind, .vector = static_cast<std::uint8_t>(reason)};
}

// What to ask the back end for: nothing, or the instructions that are left up to the stop.
std::uint64_t next_piece(const CountingState& counting) {
  if (counting.stop == 0) return 0;
  const auto early = static_cast<std::uint64_t>(counting.settings.corrections.stop);
  const std::uint64_t left = counting.stop - counting.counted;
  if (left == 0) return 0;
  return left < longest_piece - early ? left + early : longest_piece;
}

}  // namespace

bool use_counter(const reprise::CounterSettings& chosen) {
  const CounterBackEnd& its_back_end = back_end_of(chosen.kind);
  if (!its_back_end.start()) return false;
  this_cpu().nmi_came = true;  // its interrupt has not been let in yet
  this_cpu().counting = {.back_end = &its_back_end, .settings = chosen};
  return true;
}
const reprise::CounterSettings& counter() { return this_cpu().counting.settings; }

void restart_count() {
  CountingState& counting = this_cpu().counting;
  counting.counted = 0;
  counting.stop = 0;
}
std::uint64_t count() { return this_cpu().counting.counted; }
void stop_at_count(std::uint64_t n) { this_cpu().counting.stop = n; }

bool x86::stop_reached() { return take_stop(this_cpu().counting); }

void x86::begin_stint() {
  const CountingState& counting = this_cpu().counting;
  back_end(counting).enter(next_piece(counting));
}

std::optional<Trap> x86::end_stint(std::uint64_t reason) {
  CountingState& counting = this_cpu().counting;
  const CounterBackEnd::Stint stint = back_end(counting).left(reason);
  const std::int64_t added = static_cast<std::int64_t>(stint.count) - correction(counting, reason);
  if (added > 0) counting.counted += static_cast<std::uint64_t>(added);
  return overflow_trap(counting, stint, reason);
}

// What the host's self-test has found about ring 3 says nothing about guests.
void x86::begin_guest_stint() {
  const CountingState& counting = this_cpu().counting;
  const std::uint64_t left = counting.stop == 0 ? 0 : counting.stop - counting.counted;
  back_end(counting).enter_guest(reprise::smaller(left, longest_piece));
}

std::optional<Trap> x86::end_guest_stint(std::uint64_t reason, const GuestStamps& stamps) {
  CountingState& counting = this_cpu().counting;
  const CounterBackEnd::Stint stint = back_end(counting).left_guest(reason, stamps);
  counting.counted += stint.count;
  return overflow_trap(counting, stint, reason);
}

}  // namespace arch
