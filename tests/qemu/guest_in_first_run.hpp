// For test kernels that act at the beginning of a guest's first run.
#pragma once

#include <cstddef>

#include "kernel/the_machine.hpp"

namespace reprise {

// The hardened guest that is in its first run, or nullptr. Nobody else is in any run then.
inline Context* guest_in_first_run() {
  for (std::size_t i = 0; i < machine.processes.size(); ++i) {
    Context& context = machine.processes[i].context();
    if (!context.guest() || !context.hardened()) continue;
    if (context.engine().state() == Engine::State::FirstRun) return &context;
  }
  return nullptr;
}

}  // namespace reprise
