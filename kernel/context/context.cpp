#include "kernel/context/context.hpp"

namespace reprise {

Context::Context(std::uint64_t number, AddressSpace& space, const ContextSettings& settings,
                 const ContextResources& resources)
    : turn{settings.priority}, injector{resources.flips}, number_{number}, space_{space} {
  if (settings.hardened) hardening_.emplace(space_, live_, injector, settings.kernel, resources);
}

std::uint64_t Context::own_time() const {
  if (!hardening_) return figures.user_time;
  const dwc::PhaseTicks& ticks = engine().statistics().ticks;
  return ticks.first_run + ticks.fault;
}

}  // namespace reprise
