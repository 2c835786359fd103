#include "kernel/context/hardening.hpp"

#include "kernel/base/arithmetic.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t second_run_slack = 1'000'000;  // ns; beyond four times the first run
// A look at a clean page's dirty bit costs about 15 instructions a PE, waking it again about 500.
// After as many looks as that is worth it falls asleep: so the looks and the wakings together cost
// at most twice what they would if the future were known.
constexpr std::uint32_t clean_pes = 32;
// At its end a context gives its pages back, some 320 instructions each, while devices wait. A
// small page budget that is fixed therefore makes for a short end, too.
constexpr std::uint64_t asleep_for_each_page = 8;
constexpr std::uint64_t trace_limit = 100'000'000;  // ns; a step may be as long as one likes

std::uint32_t most_asleep(const KernelSettings& settings) {
  const std::uint64_t pages = asleep_for_each_page * settings.pe_pages;
  const bool automatic = settings.pe_pages == 0;
  return static_cast<std::uint32_t>(automatic || pages > most_pe_pages ? most_pe_pages : pages);
}

dwc::Settings engine_settings(const KernelSettings& settings) {
  dwc::Settings engine = pace_settings(settings);
  engine.policy = settings.policy;
  engine.check = settings.check;
  engine.check_words = settings.check_words;
  engine.most_asleep = most_asleep(settings);
  engine.restart_limit = static_cast<std::uint32_t>(settings.pe_restarts);
  engine.clean_limit = clean_pes;
  engine.second_run_slack_ticks = second_run_slack;
  engine.trace_ticks = trace_limit;
  return engine;
}

// One event that a guest delivers to itself may write to a dozen of its pages and tables: with a
// smaller budget its PE would come to nothing, for ever.
constexpr std::uint64_t least_guest_pages = 64;

KernelSettings settings_for(const arch::UserState& live, KernelSettings settings) {
  const bool fixed = settings.pe_pages != 0;
  if (live.virtual_cpu != nullptr && fixed) {
    settings.pe_pages = larger<std::uint64_t>(settings.pe_pages, least_guest_pages);
  }
  return settings;
}

// A trace steps, and a guest cannot be stepped.
std::span<std::uint32_t> digests_for(const arch::UserState& live,
                                     const ContextResources& resources) {
  if (live.virtual_cpu != nullptr) return {};
  return resources.digests;
}

}  // namespace

Hardening::Hardening(AddressSpace& space, arch::UserState& live, Injector& injector,
                     const KernelSettings& settings, const ContextResources& resources)
    : injector_{injector},
      space_{space.table(), resources.frames, settings.flush},
      core_{space.table(), live, *this},
      engine_{space_,
              core_,
              engine_settings(settings_for(live, settings)),
              {.pages = places_,
               .start = &start_,
               .first = &first_,
               .digests = digests_for(live, resources)}} {
  start_.virtual_cpu = live.virtual_cpu;
  first_.virtual_cpu = live.virtual_cpu;
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
