#include "kernel/context/context.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t second_run_slack = 1'000'000;  // ns; beyond four times the first run
constexpr std::uint64_t trace_limit = 100'000'000;     // ns; a step may be as long as one likes

dwc::Settings engine_settings(const KernelSettings& settings) {
  return {.policy = settings.policy,
          .check = settings.check,
          .check_words = settings.check_words,
          .page_budget = static_cast<std::uint32_t>(settings.pe_pages),
          .restart_limit = static_cast<std::uint32_t>(settings.pe_restarts),
          .limit_ticks = settings.pe_limit,
          .second_run_slack_ticks = second_run_slack,
          .trace_ticks = trace_limit};
}

}  // namespace

Context::Context(std::uint64_t number, AddressSpace& space, const ContextSettings& settings,
                 const ContextResources& resources)
    : turn{settings.priority},
      injector{resources.flips},
      number_{number},
      space_{space},
      engine_space_{space.table(), resources.frames, settings.kernel.flush},
      core_{space.table(), states_[0], *this} {
  if (!settings.hardened) return;
  const Engine::Storage storage{
      .pages = pages_, .start = &states_[1], .first = &states_[2], .digests = resources.digests};
  engine_.emplace(engine_space_, core_, engine_settings(settings.kernel), storage);
}

std::uint64_t Context::own_time() const {
  if (!engine_) return figures.user_time;
  const dwc::PhaseTicks& ticks = engine_->statistics().ticks;
  return ticks.first_run + ticks.fault;
}

void Context::run_begins(dwc::WhichRun run) { injector.run_begins(run, *engine_, live()); }
void Context::run_ended() { injector.run_ended(*engine_, live()); }
std::uint64_t Context::next_stop() { return injector.next_offset(*engine_); }
void Context::stopped_at(std::uint64_t count) { injector.reached(count, *engine_, live()); }

}  // namespace reprise
