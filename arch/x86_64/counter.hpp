// What a retired-instruction counter is, behind arch/counter.hpp. Each has a file of its own:
// pmu_intel.cpp, pmu_amd.cpp, icount.cpp. A back end counts one stint, from the entry to ring 3 to
// the trap that ends it, as the machine gives it; counter.cpp adds the stints up, after subtracting
// what each kind of trap is known to add. Whether a counter is to be believed is not asked here:
// virtual machines announce some that do not count, and init tries them.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/counter.hpp"
#include "arch/run_user.hpp"

namespace arch::x86 {

struct GuestStamps {
  std::uint64_t entry, exit;
  bool repeats_last;  // the last instruction, an INT n, is to be carried out again
};

// Has no data of its own: what changes stands in PerCpu.
class CounterBackEnd {
public:
  [[nodiscard]] virtual bool start() const = 0;  // false: its registers do not exist

  // The last thing before ring 3; with `n` other than 0 an overflow has to come after n
  // instructions.
  virtual void enter(std::uint64_t n) const = 0;
  struct Stint {
    std::uint64_t count;
    bool overflow;  // the trap was the overflow's interrupt, be it one of an earlier stint
  };
  // The first thing after; `reason` as enter_user() returns it.
  virtual Stint left(std::uint64_t reason) const = 0;
  // The same around a stint in a guest. `stamps` are time stamps as close to it as can be.
  virtual void enter_guest(std::uint64_t n) const = 0;
  virtual Stint left_guest(std::uint64_t reason, const GuestStamps& stamps) const = 0;

protected:
  ~CounterBackEnd() = default;
};

[[nodiscard]] const CounterBackEnd& icount();
[[nodiscard]] const CounterBackEnd& pmu_intel();
[[nodiscard]] const CounterBackEnd& pmu_amd();

// run_user()'s side. Between begin_stint(), enter_user() and end_stint() every instruction counts
// with `icount`: nothing may stand there that is not always executed.
[[nodiscard]] bool stop_reached();  // Trap::Kind::Counter without another instruction
void begin_stint();
// The trap to return, if `reason` was the counter's own business.
[[nodiscard]] std::optional<Trap> end_stint(std::uint64_t reason);
// The same for run_guest(). `reason`: the vector of the interrupt that ended the stint, or
// guest_exit_reason.
void begin_guest_stint();
[[nodiscard]] std::optional<Trap> end_guest_stint(std::uint64_t reason, const GuestStamps& stamps);

}  // namespace arch::x86
