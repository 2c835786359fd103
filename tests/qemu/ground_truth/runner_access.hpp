// What a runner of processing elements may change. This test is one: it steps a program where the
// kernel's own ElementRunner would run it. So it takes the rights that the kernel gives to nobody
// else.
#pragma once

#include "kernel/process/process.hpp"

namespace ground_truth {

[[nodiscard]] inline arch::UserState& live_registers(reprise::Process& process) {
  return const_cast<arch::UserState&>(process.context().registers());
}
[[nodiscard]] inline reprise::AddressSpace& own_space(reprise::Process& process) {
  return const_cast<reprise::AddressSpace&>(process.space());
}

}  // namespace ground_truth
