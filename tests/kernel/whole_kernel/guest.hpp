// A guest and its monitor on the whole kernel, for host tests. The guest's virtual CPU is a script:
// one stay for each processing element. Programs do nothing but wait for messages. The kernel's own
// main loop runs them all until nobody can run. It is checked at each entry that the guest and its
// monitor take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "arch/guest_state.hpp"
#include "arch/run_user.hpp"
#include "kernel/abi/guest.h"
#include "tests/kernel/whole_kernel/kernel.hpp"

namespace fakes {

// The CPU has SVM and nested paging.
void offer_guests();
// As START makes it; it must be possible.
[[nodiscard]] reprise::ProgramRequest guest_of(const reprise::Process& monitor,
                                               std::uint64_t hardened = 1);

// What a guest does until something stops it; the argument is its registers. Each run of a
// processing element calls it once, and once more behind each write fault.
using Stay = std::function<arch::Trap(arch::UserState&)>;

// An intercepted instruction, with EXITINFO1 and EXITINFO2.
[[nodiscard]] Stay exits(arch::GuestExit code, std::uint64_t info = 0, std::uint64_t next = 0);
// The same at the end of a stay that has taken so many nanoseconds.
[[nodiscard]] Stay exits_after(std::uint64_t nanoseconds, arch::GuestExit code);
// A page fault at a guest-physical address.
[[nodiscard]] Stay faults(std::uint64_t address, std::uint32_t error_code);

// A store and a load of the guest at a guest-physical address. The fault, where there is one.
[[nodiscard]] std::optional<arch::Trap> store_as(const arch::UserState& guest,
                                                 std::uint64_t address, std::uint64_t value);
[[nodiscard]] std::uint64_t load_as(const arch::UserState& guest, std::uint64_t address);

inline constexpr reprise_guest_run go_on{.deadline = ~0ull};

class GuestMachine {
public:
  explicit GuestMachine(std::uint64_t hardened);
  GuestMachine(const GuestMachine&) = delete;
  GuestMachine& operator=(const GuestMachine&) = delete;

  Kernel kernel;
  reprise::Process& monitor;
  reprise::Process& guest;

  // A call of the monitor's for its guest.
  std::int64_t call(std::uint64_t number, std::uint64_t second, std::uint64_t third = 0,
                    std::uint64_t fourth = 0);
  // GUEST_RUN; its structure is at `data` of the monitor.
  std::int64_t let_go(const reprise_guest_run& answer = go_on);
  // Until nobody can run. The guest takes all of the stays, and no more.
  void supervise(const std::vector<Stay>& script);
  // Both; what the monitor is told.
  reprise_guest_run next_stop(const std::vector<Stay>& script,
                              const reprise_guest_run& answer = go_on);
  // What GUEST_RUN has told the monitor.
  [[nodiscard]] reprise_guest_run told() const;

  // Zero-filled guest memory.
  void map(std::uint64_t address, std::uint64_t pages);
  // The guest's registers, by the calls.
  [[nodiscard]] reprise_guest_state state();
  void set_state(const reprise_guest_state& state);

private:
  arch::Trap run_guest(arch::UserState& state, const std::vector<Stay>& script, std::size_t first);
  arch::Trap run_program(arch::UserState& state);
  [[nodiscard]] std::size_t elements() const { return guest.context().figures.elements; }
};

}  // namespace fakes
