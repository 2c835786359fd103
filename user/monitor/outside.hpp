// What the session needs of the machine around the guest: the kernel's calls for the guest, time,
// and the console. main.cpp has the real ones; host tests have theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/abi/guest.h"
#include "user/monitor/cpuid_policy.hpp"
#include "user/monitor/page_walker.hpp"
#include "user/monitor/port_bus.hpp"

namespace monitor {

// The results are those of the calls: 0, or the negative of a reprise_error.
class GuestProcess : public GuestMemory {
public:
  [[nodiscard]] virtual std::int64_t run(reprise_guest_run& run) = 0;
  [[nodiscard]] virtual std::int64_t get_state(reprise_guest_state& state) = 0;
  [[nodiscard]] virtual std::int64_t set_state(const reprise_guest_state& state) = 0;

protected:
  ~GuestProcess() = default;
};

class Outside : public UnknownPorts {
public:
  struct Input {
    std::size_t bytes = 0;
    bool ended = false;
  };

  [[nodiscard]] virtual std::uint64_t time() = 0;  // nanoseconds on the monotonic clock
  virtual void sleep_until(std::uint64_t time) = 0;
  virtual void take_notes() = 0;                                     // after REPRISE_GUEST_NOTE
  [[nodiscard]] virtual Input read_input(std::span<char> room) = 0;  // does not wait
  [[nodiscard]] virtual CpuidWords cpuid(std::uint32_t leaf, std::uint32_t subleaf) = 0;
  // The components of the extended state that the kernel enables, as in XCR0; 0: there is no XSAVE.
  [[nodiscard]] virtual std::uint64_t extended_components() = 0;
  virtual void name_msr(std::uint32_t msr, bool is_write) = 0;

protected:
  ~Outside() = default;
};

}  // namespace monitor
