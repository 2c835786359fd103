#include "kernel/process/process.hpp"

#include <array>
#include <utility>

namespace reprise {
namespace {

// For the trace of a PE that is given up: so many steps are looked at. Only one runs at a time.
constinit std::array<std::uint32_t, 1 << 16> digests{};

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

Process::Process(std::uint64_t id, const ProgramRequest& request, AddressSpace space,
                 FrameSource& frames, Injector& injector, const KernelSettings& settings)
    : turn{static_cast<unsigned>(request.priority)},
      id_{id},
      space_{std::move(space)},
      engine_space_{space_, frames, settings.flush},
      core_{*this, space_, live_, injector} {
  if (request.hardened != 0) {
    engine_.emplace(engine_space_, core_, engine_settings(settings),
                    Engine::Storage{pages_, &start_, &first_, digests});
  }
  space_.observe(this);
}

void Process::page_changes(PageNumber page) {
  if (engine_) engine_->forget(page);
}

void Process::end(std::uint8_t with_status) {
  status = ProcessStatus::Ended;
  report.exit_status = with_status;
  if (engine_) engine_->clear();
  space_.unmap_all();
}

}  // namespace reprise
