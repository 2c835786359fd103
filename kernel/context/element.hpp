// Runs one processing element of a context to its end: in ring 3, trap by trap, as the engine says;
// or once, when the context is not hardened. What the end asks for is served by the caller, once,
// afterwards.
#pragma once

#include <optional>

#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "kernel/context/context.hpp"

namespace reprise {

using KernelEvent = dwc::Event<KernelSpace::Page>;

class ElementRunner {
public:
  explicit ElementRunner(Context& context) : context_{context} {}

  // `limit` ends the one run of a context that is not hardened; the engine has its own. The end
  // that both runs agreed on, committed; the context's figures keep it until the next PE. Nothing:
  // the engine gave up. The context is back at the PE's start then and must not run on.
  [[nodiscard]] const dwc::PeEnd* run(Nanoseconds limit);

private:
  [[nodiscard]] bool run_twice(Hardening& hardening);
  [[nodiscard]] dwc::PeEnd run_once(Nanoseconds limit);
  [[nodiscard]] dwc::PeEnd run_to_end();
  [[nodiscard]] arch::Trap next_trap();
  [[nodiscard]] arch::Trap next_trap(KernelCore& core);
  [[nodiscard]] bool handled_by_kernel(const arch::Trap& trap, arch::UserState& state);
  [[nodiscard]] bool stopped_for_observer(KernelCore& core, const arch::Trap& trap);
  [[nodiscard]] bool redirect_to_personality(arch::UserState& state);
  [[nodiscard]] KernelEvent event_of(const arch::Trap& trap, const arch::UserState& state) const;

  Context& context_;
};

// The page whose write protection, and nothing else, caused this trap.
[[nodiscard]] std::optional<arch::Leaf> protected_page(const AddressSpace& space,
                                                       const arch::Trap& trap);
// A system call or an exception as the end of a PE.
[[nodiscard]] dwc::PeEnd end_of(const arch::Trap& trap);

}  // namespace reprise
