// The guest's XSAVE: which components of the extended state it is offered, and what XSETBV does.
// The components are bits, as in XCR0.
#pragma once

#include <cstdint>

#include "kernel/abi/guest.h"
#include "kernel/base/extended_components.hpp"

namespace monitor {

using Components = reprise::ExtendedComponents;

struct ExtendedState {
  std::uint64_t offered = 0;                // 0: the guest has no XSAVE
  std::uint64_t enabled = Components::X87;  // XCR0
  bool is_on = false;                       // CR4.OSXSAVE

  [[nodiscard]] bool offers(std::uint64_t components) const {
    return (offered & components) == components;
  }
};

// `machine`: the components that the kernel lets programs use; 0: the machine has no XSAVE.
[[nodiscard]] ExtendedState extended_state(std::uint64_t machine, const reprise_guest_state& state);

enum class XsetbvEffect : std::uint8_t {
  StateChanged,  // the guest goes on with the changed state
  Undefined,     // invalid-opcode exception
  Refused,       // general protection exception
};

// Intel SDM Vol. 2D, XSETBV; AMD APM Vol. 4. What the processor checks before it stops here does
// not matter: everything is checked again.
[[nodiscard]] XsetbvEffect carry_out_xsetbv(std::uint32_t number, std::uint64_t value,
                                            const ExtendedState& extended,
                                            reprise_guest_state& state);

}  // namespace monitor
