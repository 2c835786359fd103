// Is told of the moments of a run at which flips can strike (kernel/context/injector.hpp). The
// core knows the moments; what happens at them is not its business.
#pragma once

#include <cstdint>

#include "libdwc/core.hpp"

namespace reprise {

class RunObserver {
public:
  // Whether it has to be told of the run that begins. False: nothing can strike in it.
  [[nodiscard]] virtual bool watches() const = 0;

  // The live registers are loaded next.
  virtual void run_begins(dwc::WhichRun run) = 0;
  // The live registers are complete, and nothing is compared yet.
  virtual void run_ended() = 0;

  // The run has to stop after so many of its instructions; 0: nowhere. Asked again after each stop.
  [[nodiscard]] virtual std::uint64_t next_stop() = 0;
  // It has. The live registers are complete, and are loaded next.
  virtual void stopped_at(std::uint64_t count) = 0;

protected:
  ~RunObserver() = default;
};

}  // namespace reprise
