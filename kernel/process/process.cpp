#include "kernel/process/process.hpp"

#include <utility>

namespace reprise {
namespace {

constexpr std::uint64_t second_run_slack = 1'000'000;  // ns; beyond four times the first run

dwc::Settings engine_settings(const Settings& settings) {
  dwc::Settings engine;
  engine.policy =
      settings.policy == Settings::Policy::Rotate ? dwc::Policy::Rotate : dwc::Policy::Classic;
  engine.check =
      settings.check == Settings::Check::Full ? dwc::CheckScope::Full : dwc::CheckScope::Dirty;
  engine.check_words = settings.check_words ? dwc::CheckWords::Verify : dwc::CheckWords::Ignore;
  engine.page_budget = settings.pe_pages;
  engine.restart_limit = settings.pe_restarts;
  engine.watchdog_ticks = settings.pe_watchdog.value();
  engine.second_run_slack_ticks = second_run_slack;
  return engine;
}

}  // namespace

Process::Process(std::uint64_t id, std::string_view name, AddressSpace space, Storage storage,
                 FrameSource& frames, Injector& injector, const Settings& settings)
    : id_{id}, name_{name}, space_{std::move(space)}, storage_{storage}, platform_{*this,
                                                                                   space_,
                                                                                   *storage.live,
                                                                                   frames,
                                                                                   injector,
                                                                                   settings.flush} {
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
