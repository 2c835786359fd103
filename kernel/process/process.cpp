#include "kernel/process/process.hpp"

#include <utility>

namespace reprise {
namespace {

constexpr std::uint64_t second_run_slack = 1'000'000;  // ns; beyond four times the first run

// The words of both enumerations stand in the same order.
dwc::Settings engine_settings(const Settings& settings) {
  return {.policy = static_cast<dwc::Policy>(settings.policy),
          .check = static_cast<dwc::CheckScope>(settings.check),
          .check_words = settings.check_words ? dwc::CheckWords::Verify : dwc::CheckWords::Ignore,
          .page_budget = settings.pe_pages,
          .restart_limit = settings.pe_restarts,
          .limit_ticks = settings.pe_limit.value(),
          .second_run_slack_ticks = second_run_slack};
}
static_assert(static_cast<int>(Settings::Policy::Classic) ==
              static_cast<int>(dwc::Policy::Classic));
static_assert(static_cast<int>(Settings::Check::Full) == static_cast<int>(dwc::CheckScope::Full));

}  // namespace

Process::Process(std::uint64_t id, std::string_view name, AddressSpace space, Storage storage,
                 FrameSource& frames, Injector& injector, const Settings& settings)
    : turn{settings.priority_of(name)},
      id_{id},
      name_{name},
      space_{std::move(space)},
      storage_{storage},
      platform_{*this, space_, *storage.live, frames, injector, settings.flush} {
  if (settings.hardens(name)) {
    engine_.emplace(platform_, engine_settings(settings),
                    Engine::Storage{storage.pages, storage.start, storage.first});
  }
  space_.observe(this);
}

void Process::page_changes(PageNumber page) {
  if (engine_) engine_->forget(page);
}

void Process::end(std::uint8_t with_status) {
  status = ProcessStatus::Ended;
  exit_status = with_status;
  if (engine_) engine_->clear();
  space_.unmap_all();
}

}  // namespace reprise
