#include "kernel/context/context.hpp"

#include <utility>

#include "arch/guest_state.hpp"

namespace reprise {

Context::Context(std::uint64_t number, AddressSpace& space, const ContextSettings& settings,
                 const ContextResources& resources, std::optional<Guest> guest)
    : turn{settings.priority},
      injector{resources.flips},
      number_{number},
      space_{space},
      guest_{std::move(guest)} {
  if (guest_) {
    arch::initialize_guest(live_, guest_->cpu);
    status = ContextStatus::AtMonitor;
  }
  if (settings.hardened) hardening_.emplace(space_, live_, injector, settings.kernel, resources);
}

std::uint64_t Context::own_time() const {
  if (!hardening_) return figures.user_time;
  const dwc::PhaseTicks& ticks = engine().statistics().ticks;
  return ticks.first_run + ticks.fault;
}

// Each page of the set has a base and a spare, beside the frame that is mapped.
std::uint64_t Context::spare_frames() const { return hardening_ ? 2 * engine().known_pages() : 0; }

}  // namespace reprise
