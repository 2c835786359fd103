// Which counter is used, the count over several stints in ring 3, and the stop.
#include "arch/x86_64/counter.hpp"

#include "arch/x86_64/layout.hpp"

namespace arch {

using namespace x86;
using reprise::CounterKind;

namespace {

// No counter: the second run is stopped by a breakpoint at the first run's RIP alone.
class Landmark final : public CounterBackEnd {
public:
  [[nodiscard]] bool start() override { return true; }
  void enter(std::uint64_t) override {}
  Stint left(std::uint64_t) override { return {}; }
};

constinit Landmark landmark;
constinit CounterBackEnd* back_end = &landmark;
constinit reprise::CounterSettings settings{};
constinit std::uint64_t counted = 0, stop = 0;

// Overflows are asked for in pieces that every counter and timer can hold, sign bit and all.
constexpr std::uint64_t longest_piece = 0x7fffffff;

CounterBackEnd& back_end_of(CounterKind kind) {
  switch (kind) {
    case CounterKind::PmuIntel: return pmu_intel();
    case CounterKind::PmuAmd: return pmu_amd();
    case CounterKind::Icount: return icount();
    case CounterKind::Landmark: break;
  }
  return landmark;
}

std::int64_t correction(std::uint64_t reason) {
  const auto& corrections = settings.corrections;
  if (reason == system_call_reason) return corrections.call;
  const auto vector = static_cast<std::uint8_t>(reason);
  return vector == nmi_vector || vector >= exception_vectors ? corrections.interrupt
                                                             : corrections.fault;
}

}  // namespace

bool use_counter(const reprise::CounterSettings& chosen) {
  CounterBackEnd& its_back_end = back_end_of(chosen.kind);
  if (!its_back_end.start()) return false;
  back_end = &its_back_end;
  settings = chosen;
  restart_count();
  return true;
}
const reprise::CounterSettings& counter() { return settings; }

void restart_count() { counted = stop = 0; }
std::uint64_t count() { return counted; }
void stop_at_count(std::uint64_t n) { stop = n; }

bool x86::stop_reached() {
  if (stop == 0 || counted < stop) return false;
  stop = 0;
  return true;
}

void x86::begin_stint() {
  const std::uint64_t early = static_cast<std::uint64_t>(settings.corrections.stop);
  const std::uint64_t left = stop == 0 ? 0 : stop - counted;
  back_end->enter(left < longest_piece - early ? left + (left != 0 ? early : 0) : longest_piece);
}

std::optional<Trap> x86::end_stint(std::uint64_t reason) {
  const CounterBackEnd::Stint stint = back_end->left(reason);
  const std::int64_t added = static_cast<std::int64_t>(stint.count) - correction(reason);
  if (added > 0) counted += static_cast<std::uint64_t>(added);
  if (!stint.overflow) return std::nullopt;
  // Of an earlier stint, or one of several pieces: nothing to decide.
  const Trap::Kind kind = stop_reached() ? Trap::Kind::Counter : Trap::Kind::Device;
  return Trap{.kind = kind, .vector = static_cast<std::uint8_t>(reason)};
}

}  // namespace arch
