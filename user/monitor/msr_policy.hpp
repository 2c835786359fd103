// What RDMSR and WRMSR do for the registers that reach the monitor. Those that belong to the
// guest's state (EFER, PAT) are changed there. Others read as 0 and are not written; those that the
// monitor does not know by name are reported. The kernel passes through STAR, LSTAR, CSTAR, SFMASK,
// the bases and SYSENTER's registers, so they never arrive.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/abi/guest.h"
#include "user/monitor/guest_time.hpp"

namespace monitor {

enum class MsrEffect : std::uint8_t {
  Done,          // the guest goes on
  StateChanged,  // the guest goes on with the changed state
  Refused,       // general protection exception
};

class MsrPolicy {
public:
  // Whether it is kept in the guest's state, which the caller has to fetch then.
  [[nodiscard]] static bool is_in_state(std::uint32_t msr);
  [[nodiscard]] static bool is_known(std::uint32_t msr);

  [[nodiscard]] static std::uint64_t read(std::uint32_t msr, const reprise_guest_state& state,
                                          GuestTime now);
  [[nodiscard]] static MsrEffect write(std::uint32_t msr, std::uint64_t value,
                                       reprise_guest_state& state);
};

}  // namespace monitor
