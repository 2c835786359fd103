#include "kernel/context/hardening.hpp"

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

Hardening::Hardening(AddressSpace& space, arch::UserState& live, Injector& injector,
                     const KernelSettings& settings, const ContextResources& resources)
    : injector_{injector},
      space_{space.table(), resources.frames, settings.flush},
      core_{space.table(), live, *this},
      engine_{space_,
              core_,
              engine_settings(settings),
              {.pages = pages_, .start = &start_, .first = &first_, .digests = resources.digests}} {
}

void Hardening::run_begins(dwc::WhichRun run) {
  injector_.run_begins(run, engine_, core_.registers());
}
void Hardening::run_ended() { injector_.run_ended(engine_, core_.registers()); }
std::uint64_t Hardening::next_stop() { return injector_.next_offset(engine_); }
void Hardening::stopped_at(std::uint64_t count) {
  injector_.reached(count, engine_, core_.registers());
}

}  // namespace reprise
