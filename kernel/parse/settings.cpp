// See settings.hpp. One row of `arguments` per key: what may stand behind it, and who reads it.
#include "kernel/parse/settings.hpp"

#include <optional>

#include "kernel/parse/module_string.hpp"
#include "kernel/parse/text.hpp"
#include "kernel/parse/words.hpp"

namespace reprise {
namespace {

struct Reading {
  Settings& settings;
  WordNamed word_named;
  ArgumentError error;  // filled by a reader that has more to say than its row
};

// Each reader stores the value and returns false when it is none of those allowed.
using Reader = bool (*)(Reading&, std::string_view value);

template <class E>
struct Choice {
  std::string_view word;
  E value;
};

template <class E, std::size_t N>
bool choose(std::string_view value, const Choice<E> (&choices)[N], E& chosen) {
  for (const Choice<E>& choice : choices)
    if (choice.word == value) {
      chosen = choice.value;
      return true;
    }
  return false;
}

template <class T>
bool read_number(std::string_view value, std::uint64_t low, std::uint64_t high, T& target) {
  const auto read = number(value, low, high);
  if (read) target = static_cast<T>(*read);
  return read.has_value();
}

// Calls `each` for every item of a comma-separated list; false as soon as it returns false.
template <class F>
bool for_each_item(std::string_view list, F each) {
  for (std::optional<std::string_view> rest = list; rest;) {
    const Cut item = cut(*rest, ',');
    if (!each(item.head)) return false;
    rest = item.tail;
  }
  return true;
}

bool read_policy(Reading& r, std::string_view value) {
  using Policy = Settings::Policy;
  static constexpr Choice<Policy> choices[] = {{"rotate", Policy::Rotate},
                                               {"classic", Policy::Classic}};
  return choose(value, choices, r.settings.policy);
}

bool read_harden(Reading& r, std::string_view value) {
  using Harden = Settings::Harden;
  static constexpr Choice<Harden> choices[] = {{"all", Harden::All}, {"none", Harden::None}};
  r.settings.harden_names = {};
  if (choose(value, choices, r.settings.harden)) return true;
  r.settings.harden = Harden::Names;
  r.settings.harden_names = value;
  return for_each_item(value, [](std::string_view name) {
    return is_process_name(name) && name != "all" && name != "none";
  });
}

bool read_check(Reading& r, std::string_view value) {
  using Check = Settings::Check;
  static constexpr Choice<Check> choices[] = {{"dirty", Check::Dirty}, {"full", Check::Full}};
  return choose(value, choices, r.settings.check);
}

bool read_check_words(Reading& r, std::string_view value) {
  static constexpr Choice<bool> choices[] = {{"on", true}, {"off", false}};
  return choose(value, choices, r.settings.check_words);
}

bool read_on_fail(Reading& r, std::string_view value) {
  using OnFail = Settings::OnFail;
  static constexpr Choice<OnFail> choices[] = {
      {"stop", OnFail::Stop}, {"halt", OnFail::Halt}, {"reboot", OnFail::Reboot}};
  return choose(value, choices, r.settings.on_fail);
}

bool read_flush(Reading& r, std::string_view value) {
  using Flush = Settings::Flush;
  static constexpr Choice<Flush> choices[] = {
      {"none", Flush::None}, {"touched", Flush::Touched}, {"all", Flush::All}};
  return choose(value, choices, r.settings.flush);
}

bool read_input(Reading& r, std::string_view value) {
  using Input = Settings::Input;
  static constexpr Choice<Input> choices[] = {{"none", Input::None}, {"console", Input::Console}};
  return choose(value, choices, r.settings.input);
}

bool read_report(Reading& r, std::string_view value) {
  using Report = Settings::Report;
  static constexpr Choice<Report> choices[] = {
      {"full", Report::Full}, {"short", Report::Short}, {"none", Report::None}};
  return choose(value, choices, r.settings.report);
}

bool read_console(Reading& r, std::string_view value) {
  r.settings.console_serial = r.settings.console_screen = false;
  return for_each_item(value, [&r](std::string_view name) {
    if (name == "serial") return r.settings.console_serial = true;
    if (name == "screen") return r.settings.console_screen = true;
    return false;
  });
}

bool read_pages(Reading& r, std::string_view value) {
  return read_number(value, 4, 512, r.settings.pe_pages);
}

bool read_restarts(Reading& r, std::string_view value) {
  return read_number(value, 0, 100, r.settings.pe_restarts);
}

bool read_watchdog(Reading& r, std::string_view value) {
  static constexpr std::uint64_t millisecond = 1'000'000;
  std::uint64_t unit = 1000 * millisecond;
  if (value.ends_with("ms")) {
    unit = millisecond;
    value.remove_suffix(2);
  }
  const auto count = number(value, 1, 3600 * (1000 * millisecond / unit));
  if (count) r.settings.pe_watchdog = Nanoseconds{*count * unit};
  return count.has_value();
}

bool read_inject(Reading& r, std::string_view value) {
  return for_each_item(value, [&r](std::string_view item) {
    const InjectionOutcome outcome = parse_injection(item, r.word_named);
    if (!outcome.injection) {
      r.error.reason = outcome.fault.empty() ? "a part is missing" : outcome.fault;
      r.error.allowed = outcome.allowed;
      return false;
    }
    if (r.settings.add(*outcome.injection)) return true;
    r.error.reason = "too many injections";
    r.error.allowed = "64 injections in all; inject.rate=N makes more";
    return false;
  });
}

bool read_seed(Reading& r, std::string_view value) {
  return read_number(value, 0, ~std::uint64_t{0}, r.settings.inject_seed);
}

bool read_rate(Reading& r, std::string_view value) {
  return read_number(value, 1, 1'000'000'000, r.settings.inject_rate);
}

struct Argument {
  std::string_view key;
  std::string_view allowed;
  Reader read;
};

constexpr Argument arguments[] = {
    {"policy", "policy=rotate|classic", read_policy},
    {"harden", "harden=all|none|NAME,NAME...", read_harden},
    {"check", "check=dirty|full", read_check},
    {"checkwords", "checkwords=on|off", read_check_words},
    {"onfail", "onfail=stop|halt|reboot", read_on_fail},
    {"pe.pages", "pe.pages=4 to 512", read_pages},
    {"pe.restarts", "pe.restarts=0 to 100", read_restarts},
    {"pe.watchdog", "pe.watchdog=SECONDS or MILLISECONDSms, up to an hour", read_watchdog},
    {"flush", "flush=none|touched|all", read_flush},
    {"inject", "inject=PROCESS:PE:RUN:TARGET:BIT[:start|end],...", read_inject},
    {"inject.seed", "inject.seed=NUMBER", read_seed},
    {"inject.rate", "inject.rate=1 to 1000000000 (one flip every so many PEs)", read_rate},
    {"stdin", "stdin=none|console", read_input},
    {"console", "console=serial,screen or one of them", read_console},
    {"report", "report=full|short|none", read_report},
};

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return true;
}

std::optional<ArgumentError> read_environment(Settings& settings, std::string_view word,
                                              std::string_view pair) {
  const Cut parts = cut(pair, '=');
  if (!parts.tail || !is_variable_name(parts.head))
    return ArgumentError{Error::BadArgument, word, "malformed", "env.NAME=VALUE"};
  if (settings.add_environment(pair)) return std::nullopt;
  return ArgumentError{Error::BadArgument, word, "too many variables", "32 variables"};
}

std::optional<ArgumentError> read_argument(Settings& settings, WordNamed word_named,
                                           std::string_view word) {
  if (const auto pair = behind(word, "env.")) return read_environment(settings, word, *pair);
  const Cut parts = cut(word, '=');
  for (const Argument& argument : arguments) {
    if (argument.key != parts.head) continue;
    Reading reading{
        settings, word_named, {Error::BadArgument, word, "malformed", argument.allowed}};
    if (parts.tail && argument.read(reading, *parts.tail)) return std::nullopt;
    return reading.error;
  }
  return ArgumentError{Error::BadArgument, word, "unknown",
                       "the arguments listed in docs/running.md"};
}

ArgumentError cannot_split(WordError error, std::string_view command_line) {
  switch (error) {
    case WordError::OpenQuote:
      return {Error::BadArgument, command_line, "a quote never closes", "quotes in pairs"};
    case WordError::OpenBackslash:
      return {Error::BadArgument, command_line, "a backslash at the end", "\\\\ for a backslash"};
    case WordError::TooLong:
      return {Error::BadArgument, command_line, "too long", "4096 characters"};
    case WordError::TooMany:
      break;
  }
  return {Error::BadArgument, command_line, "too many arguments", "128 arguments"};
}

}  // namespace

bool Settings::hardens(std::string_view process) const {
  if (harden != Harden::Names) return harden == Harden::All;
  return !for_each_item(harden_names, [process](std::string_view name) { return name != process; });
}

bool Settings::add(const Injection& injection) {
  if (injection_count_ == injection_table_.size()) return false;
  injection_table_[injection_count_++] = injection;
  return true;
}

bool Settings::add_environment(std::string_view pair) {
  const std::string_view name = cut(pair, '=').head;
  for (std::string_view& known : std::span{environment_table_}.first(environment_count_))
    if (cut(known, '=').head == name) {
      known = pair;
      return true;
    }
  if (environment_count_ == environment_table_.size()) return false;
  environment_table_[environment_count_++] = pair;
  return true;
}

Result<Done, ArgumentError> parse_settings(std::string_view command_line, WordNamed word_named,
                                           Settings& settings) {
  std::array<std::string_view, Settings::max_words> storage;
  const auto words = split_words(command_line, settings.text, storage);
  if (!words) return Failure{cannot_split(words.error(), command_line)};
  for (const std::string_view word : words.value())
    if (const auto error = read_argument(settings, word_named, word)) return Failure{*error};
  return Done{};
}

}  // namespace reprise
