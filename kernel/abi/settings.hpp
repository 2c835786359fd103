// The settings that init reads from the boot arguments and hands to the kernel (REPRISE_CONFIGURE).
// `kernel_settings` is the one table about them: name, bounds, default and meaning of each. The
// parser and docs/running.md (user/init/settings.cpp) and the kernel's check of what it is given
// (are_valid) follow from it. The arguments that stay in init have their rows in user/init.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>

#include "kernel/base/arithmetic.hpp"
#include "libdwc/interface.hpp"
#include "libdwc/pace.hpp"

namespace reprise {

inline constexpr std::size_t most_pe_pages = dwc::Pace::most_pages;  // of a page budget

// Which caches are flushed between the first and the second run.
enum class Flush : std::uint8_t {
  None,
  Touched,  // the lines of the pages that the first run used
  All,      // all, by WBINVD
};

// Whether the kernel writes its log to the serial line while no driver does. A panic always does.
enum class SerialOutput : std::uint8_t { Written, Withheld };

// Where the kernel writes what became of each PE (kernel/timeline.hpp).
enum class Timeline : std::uint8_t { Off, Com2 };

struct KernelSettings {
  std::uint64_t pe_pages;  // 0: pe_latency decides
  std::uint64_t pe_restarts;
  std::uint64_t pe_limit;    // nanoseconds; 0: pe_latency and pe_share decide
  std::uint64_t pe_latency;  // nanoseconds
  std::uint64_t pe_share;    // percent
  std::uint64_t quantum;     // PEs
  dwc::Policy policy;
  dwc::CheckScope check;
  dwc::CheckWords check_words;
  Flush flush;
  Timeline timeline;
  SerialOutput serial_output;  // has no row: it follows from console=
};

// A row for a number. The member of Owner holds the number times `scale`.
template <class Owner>
struct NumberSetting {
  std::string_view name;  // KEY of the boot argument KEY=VALUE
  std::uint64_t Owner::*member;
  std::uint64_t low;
  std::uint64_t high;
  std::uint64_t fallback;  // without the argument; 0 below `low`: the setting is off
  std::string_view unit;
  std::uint64_t scale = 1;
  std::string_view word{};  // stands for 0, whatever `low` is; empty: there is none
  std::string_view meaning;
};

template <class E>
struct ChoiceWord {
  std::string_view word;
  E value;
};

// A row for one of several words, each with its value of the enumeration E.
template <class Owner, class E>
struct ChoiceSetting {
  std::string_view name;  // KEY of the boot argument KEY=WORD
  E Owner::*member;
  std::span<const ChoiceWord<E>> words;
  E fallback;  // without the argument
  std::string_view meaning;
};

// With the types deduced, GCC 12 puts such a constant into writable memory.
inline constexpr std::array<ChoiceWord<dwc::Policy>, 2> policy_words{
    ChoiceWord<dwc::Policy>{.word = "rotate", .value = dwc::Policy::Rotate},
    ChoiceWord<dwc::Policy>{.word = "classic", .value = dwc::Policy::Classic},
};
inline constexpr std::array<ChoiceWord<dwc::CheckScope>, 2> check_words{
    ChoiceWord<dwc::CheckScope>{.word = "dirty", .value = dwc::CheckScope::Dirty},
    ChoiceWord<dwc::CheckScope>{.word = "full", .value = dwc::CheckScope::Full},
};
inline constexpr std::array<ChoiceWord<dwc::CheckWords>, 2> checkwords_words{
    ChoiceWord<dwc::CheckWords>{.word = "on", .value = dwc::CheckWords::Verify},
    ChoiceWord<dwc::CheckWords>{.word = "off", .value = dwc::CheckWords::Ignore},
};
inline constexpr std::array<ChoiceWord<Flush>, 3> flush_words{
    ChoiceWord<Flush>{.word = "none", .value = Flush::None},
    ChoiceWord<Flush>{.word = "touched", .value = Flush::Touched},
    ChoiceWord<Flush>{.word = "all", .value = Flush::All},
};
inline constexpr std::array<ChoiceWord<Timeline>, 2> timeline_words{
    ChoiceWord<Timeline>{.word = "off", .value = Timeline::Off},
    ChoiceWord<Timeline>{.word = "com2", .value = Timeline::Com2},
};

inline constexpr std::tuple kernel_settings{
    ChoiceSetting<KernelSettings, dwc::Policy>{
        .name = "policy",
        .member = &KernelSettings::policy,
        .words = policy_words,
        .fallback = dwc::Policy::Rotate,
        .meaning = "How page copies are kept: `rotate` lets three frames take turns, `classic` "
                   "makes the paper's three copies.",
    },
    ChoiceSetting<KernelSettings, dwc::CheckScope>{
        .name = "check",
        .member = &KernelSettings::check,
        .words = check_words,
        .fallback = dwc::CheckScope::Dirty,
        .meaning = "Which pages of the set are compared: those whose dirty bit is set, or every "
                   "writable one.",
    },
    ChoiceSetting<KernelSettings, dwc::CheckWords>{
        .name = "checkwords",
        .member = &KernelSettings::check_words,
        .words = checkwords_words,
        .fallback = dwc::CheckWords::Verify,
        .meaning = "Whether a restart first verifies the check words of the snapshot.",
    },
    ChoiceSetting<KernelSettings, Flush>{
        .name = "flush",
        .member = &KernelSettings::flush,
        .words = flush_words,
        .fallback = Flush::None,
        .meaning = "Which caches are flushed between the runs: none, those of the pages that the "
                   "first run used, or all (WBINVD).",
    },
    NumberSetting<KernelSettings>{
        .name = "pe.pages",
        .member = &KernelSettings::pe_pages,
        .low = 4,
        .high = most_pe_pages,
        .fallback = 0,
        .unit = "pages",
        .word = "auto",
        .meaning = "The most pages that one PE may modify, of a guest at least 64. `auto`: as many "
                   "as `pe.latency=` pays for.",
    },
    NumberSetting<KernelSettings>{
        .name = "pe.restarts",
        .member = &KernelSettings::pe_restarts,
        .low = 0,
        .high = 100,
        .fallback = 3,
        .unit = "restarts",
        .meaning = "The most restarts of one PE in a row. After them a mismatch stands.",
    },
    NumberSetting<KernelSettings>{
        .name = "pe.limit",
        .member = &KernelSettings::pe_limit,
        .low = 10,
        .high = 10'000,
        .fallback = 0,
        .unit = "microseconds",
        .scale = 1'000,
        .word = "auto",
        .meaning = "The time after which a first run is ended, wherever it stands. `auto`: from "
                   "200 up to an eighth of `pe.latency=`, as `pe.share=` asks for.",
    },
    NumberSetting<KernelSettings>{
        .name = "pe.latency",
        .member = &KernelSettings::pe_latency,
        .low = 100,
        .high = 1'000'000,
        .fallback = 50'000,
        .unit = "microseconds",
        .scale = 1'000,
        .meaning = "The time that a whole PE may take, both runs and all work on its pages.",
    },
    NumberSetting<KernelSettings>{
        .name = "pe.share",
        .member = &KernelSettings::pe_share,
        .low = 1,
        .high = 100,
        .fallback = 3,
        .unit = "percent",
        .meaning = "What a PE may cost beside its runs and write faults, as a share of a run, "
                   "before `pe.limit=auto` makes the next one longer.",
    },
    NumberSetting<KernelSettings>{
        .name = "quantum",
        .member = &KernelSettings::quantum,
        .low = 1,
        .high = 1'000,
        .fallback = 1,
        .unit = "PEs",
        .meaning = "How many PEs a program runs before the next one of its priority has its turn.",
    },
    ChoiceSetting<KernelSettings, Timeline>{
        .name = "timeline",
        .member = &KernelSettings::timeline,
        .words = timeline_words,
        .fallback = Timeline::Off,
        .meaning = "Whether the second serial port gets a record of each PE. "
                   "`scripts/run --trace FILE` says `com2` and makes a timeline of them.",
    },
};

template <class Owner>
constexpr void set_fallback(const NumberSetting<Owner>& row, Owner& owner) {
  owner.*row.member = row.fallback * row.scale;
}
template <class Owner, class E>
constexpr void set_fallback(const ChoiceSetting<Owner, E>& row, Owner& owner) {
  owner.*row.member = row.fallback;
}

template <class Owner>
[[nodiscard]] constexpr bool is_valid(const NumberSetting<Owner>& row, const Owner& owner) {
  if (!row.word.empty() && owner.*row.member == 0) return true;
  return is_between(row.low * row.scale, owner.*row.member, row.high * row.scale);
}
template <class Owner, class E>
[[nodiscard]] constexpr bool is_valid(const ChoiceSetting<Owner, E>& row, const Owner& owner) {
  for (const ChoiceWord<E>& choice : row.words) {
    if (choice.value == owner.*row.member) return true;
  }
  return false;
}

// The settings of a boot without arguments.
[[nodiscard]] constexpr KernelSettings default_settings() {
  KernelSettings settings{};
  std::apply([&settings](const auto&... row) { (set_fallback(row, settings), ...); },
             kernel_settings);
  return settings;
}

// Where pe.limit=auto begins, and what a turn of one PE is then: the paper's limit.
inline constexpr std::uint64_t first_pe_limit = 200'000;  // nanoseconds

// The time that a turn of one PE has.
[[nodiscard]] constexpr std::uint64_t turn_of_one_pe(const KernelSettings& settings) {
  return settings.pe_limit != 0 ? settings.pe_limit : first_pe_limit;
}

// What the engine makes of the settings that say how long a PE is.
[[nodiscard]] constexpr dwc::Settings pace_settings(const KernelSettings& settings) {
  return {.page_budget = static_cast<std::uint32_t>(settings.pe_pages),
          .limit_ticks = settings.pe_limit,
          .latency_ticks = settings.pe_latency,
          .first_limit_ticks = first_pe_limit,
          .overhead_share = static_cast<std::uint32_t>(settings.pe_share)};
}

// The settings until REPRISE_CONFIGURE. They stay in force for init itself. Its first PEs end
// before a counter has passed its test, so none should reach the time limit: it is the longest.
[[nodiscard]] constexpr KernelSettings settings_of_init() {
  constexpr std::uint64_t longest_limit = 10'000'000;  // nanoseconds
  KernelSettings settings = default_settings();
  settings.pe_limit = longest_limit;
  return settings;
}

// The kernel's check of REPRISE_CONFIGURE: all members are within their rows' bounds.
[[nodiscard]] constexpr bool are_valid(const KernelSettings& settings) {
  const bool rows_are_valid =
      std::apply([&settings](const auto&... row) { return (is_valid(row, settings) && ...); },
                 kernel_settings);
  return rows_are_valid && (settings.serial_output == SerialOutput::Written ||
                            settings.serial_output == SerialOutput::Withheld);
}
static_assert(are_valid(default_settings()) && are_valid(settings_of_init()));

}  // namespace reprise
