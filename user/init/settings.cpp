// See settings.hpp. One row of `arguments` a key: the form it has to have, which an error shows,
// and who reads it.
#include "user/init/settings.hpp"

#include "user/init/words.hpp"

namespace reprise {
namespace {

struct Reading {
  Settings& settings;
  WordNamed word_named;
  ArgumentError error;  // as the row has it; a reader that has more to say replaces it

  bool refuse(std::string_view reason, std::string_view allowed) {
    error = {error.argument, reason, allowed};
    return false;
  }
};

// Stores the value, or returns false when it is none of those allowed.
using Reader = bool (*)(Reading&, std::string_view value);

// The words in the row's form are the values of the enumeration, in their order.
template <auto setting>
bool choice(Reading& r, std::string_view value) {
  return read_choice(value, *cut(r.error.allowed, '=').tail, r.settings.*setting);
}

template <auto setting, std::uint64_t low, std::uint64_t high>
bool number(Reading& r, std::string_view value) {
  return read_number(value, low, high, r.settings.*setting);
}

bool harden(Reading& r, std::string_view value) {
  r.settings.harden_names = {};
  if (read_choice(value, "all|none", r.settings.harden)) return true;
  r.settings.harden = Settings::Harden::Names;
  r.settings.harden_names = value;
  return !find_part(value, ',', [](std::string_view name) {
    return !is_process_name(name) || name == "all" || name == "none";
  });
}

bool console(Reading& r, std::string_view value) {
  r.settings.console_serial = r.settings.console_screen = false;
  return !find_part(value, ',', [&r](std::string_view name) {
    r.settings.console_serial |= name == "serial";
    r.settings.console_screen |= name == "screen";
    return name != "serial" && name != "screen";
  });
}

bool limit(Reading& r, std::string_view value) {
  std::uint64_t microseconds = 0;
  if (!read_number(value, 10, 10'000, microseconds)) return false;
  r.settings.pe_limit = Nanoseconds{microseconds * 1'000};
  return true;
}

bool priority(Reading& r, std::string_view value) {
  r.settings.priorities = value;
  return !find_part(value, ',', [](std::string_view item) {
    const Cut parts = cut(item, ':');
    unsigned level = 0;
    return !is_process_name(parts.head) || !parts.tail ||
           !read_number(*parts.tail, 0, highest_priority, level);
  });
}

bool stop_after(Reading& r, std::string_view value) {
  constexpr std::uint64_t longest = 1'000'000'000'000'000'000;
  const bool milliseconds = value.ends_with("ms");
  if (milliseconds) value.remove_suffix(2);
  const std::uint64_t unit = milliseconds ? 1'000'000 : 1'000'000'000;
  std::uint64_t count = 0;
  if (!read_number(value, 1, longest / unit, count)) return false;
  r.settings.stop_after = Nanoseconds{count * unit};
  return true;
}

bool inject(Reading& r, std::string_view value) {
  Settings& s = r.settings;
  return !find_part(value, ',', [&](std::string_view item) {
    const auto injection = parse_injection(item, r.word_named);
    if (!injection) return !r.refuse(injection.error().reason, injection.error().allowed);
    if (s.injection_count == s.max_injections)
      return !r.refuse("too many injections", "64 injections in all; inject.rate=N makes more");
    s.injection_table[s.injection_count++] = injection.value();
    return false;
  });
}

bool inject_only(Reading& r, std::string_view value) {
  r.settings.inject_only = value;
  return is_process_name(value);
}

bool grant(Reading& r, std::string_view value) {
  Settings& s = r.settings;
  return !find_part(value, ',', [&](std::string_view item) {
    const auto grant = parse_grant(item);
    if (!grant) return !r.refuse(grant.error().reason, grant.error().allowed);
    if (s.grant_count == s.max_grants) return !r.refuse("too many grants", "32 grants in all");
    s.grant_table[s.grant_count++] = grant.value();
    return false;
  });
}

bool is_variable_name(std::string_view name) {
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return !name.empty() && (name.front() < '0' || name.front() > '9');
}

// The name belongs to the key, so the whole argument is looked at.
bool variable(Reading& r, std::string_view) {
  Settings& s = r.settings;
  const std::string_view pair = *behind(r.error.argument, "env.");
  const std::string_view name = cut(pair, '=').head;
  if (!is_variable_name(name)) return false;
  std::size_t i = 0;
  while (i < s.environment_count && cut(s.environment_table[i], '=').head != name) ++i;
  if (i == s.max_environment) return r.refuse("too many variables", "32 variables");
  s.environment_table[i] = pair;
  if (i == s.environment_count) ++s.environment_count;
  return true;
}

struct Argument {
  std::string_view form;  // KEY=...
  Reader read;
};

constexpr std::uint64_t any = ~std::uint64_t{0};

constexpr Argument arguments[] = {
    {"policy=rotate|classic", choice<&Settings::policy>},
    {"harden=all|none|NAME,NAME...", harden},
    {"check=dirty|full", choice<&Settings::check>},
    {"checkwords=off|on", choice<&Settings::check_words>},
    {"onfail=stop|halt|reboot", choice<&Settings::on_fail>},
    {"pe.pages=4 to 512", number<&Settings::pe_pages, 4, most_pe_pages>},
    {"pe.restarts=0 to 100", number<&Settings::pe_restarts, 0, 100>},
    {"pe.limit=10 to 10000 (microseconds)", limit},
    {"priority=NAME:LEVEL,... (LEVEL 0 to 7)", priority},
    {"quantum=1 to 1000 (PEs)", number<&Settings::quantum, 1, 1000>},
    {"stop.after=SECONDS or MILLISECONDSms", stop_after},
    {"flush=none|touched|all", choice<&Settings::flush>},
    {"counter=auto|pmu|icount|landmark", choice<&Settings::counter>},
    {"inject=PROCESS:PE:RUN:TARGET:BIT[:start|end|at=N],...", inject},
    {"inject.seed=NUMBER", number<&Settings::inject_seed, 0, any>},
    {"inject.rate=1 to 1000000000 (one flip every so many PEs)",
     number<&Settings::inject_rate, 1, 1'000'000'000>},
    {"inject.only=NAME (of the process that random flips hit)", inject_only},
    {"grant=PROCESS:port:LOW-HIGH|mmio:FIRST-LAST|irq:LINE|log,...", grant},
    {"stdin=none|console", choice<&Settings::input>},
    {"console=serial,screen or one of them", console},
    {"report=full|short|none", choice<&Settings::report>},
    {"env.NAME=VALUE", variable},
};

Result<Done, ArgumentError> read_argument(Settings& settings, WordNamed word_named,
                                          std::string_view word) {
  const Cut parts = cut(word, '=');
  const std::string_view key = word.starts_with("env.") ? "env.NAME" : parts.head;
  for (const Argument& argument : arguments) {
    if (cut(argument.form, '=').head != key) continue;
    Reading reading{settings, word_named, {word, "malformed", argument.form}};
    if (parts.tail && argument.read(reading, *parts.tail)) return Done{};
    return Failure{reading.error};
  }
  return Failure{ArgumentError{word, "unknown", "the arguments listed in docs/running.md"}};
}

}  // namespace

// The words of each enumeration stand in the kernel's order.
KernelSettings Settings::for_kernel() const {
  KernelSettings settings;
  settings.policy = static_cast<std::uint64_t>(policy);
  settings.check = static_cast<std::uint64_t>(check);
  settings.check_words = check_words ? 1 : 0;
  settings.pe_pages = pe_pages;
  settings.pe_restarts = pe_restarts;
  settings.pe_limit = pe_limit.value();
  settings.quantum = quantum;
  settings.flush = static_cast<std::uint64_t>(flush);
  settings.quiet = console_serial ? 0 : 1;
  return settings;
}

bool Settings::hardens(std::string_view process) const {
  if (harden != Harden::Names) return harden == Harden::All;
  return find_part(harden_names, ',', [=](std::string_view name) { return name == process; })
      .has_value();
}

unsigned Settings::priority_of(std::string_view process) const {
  unsigned level = default_priority;
  static_cast<void>(find_part(priorities, ',', [&](std::string_view item) {
    const Cut parts = cut(item, ':');
    return parts.head == process && !read_number(*parts.tail, 0, highest_priority, level);
  }));
  return level;
}

std::optional<std::string_view> Settings::unknown_name(
    bool (*is_program)(std::string_view name)) const {
  std::optional<std::string_view> unknown;
  const auto look_at = [&](std::string_view name, bool may_be_init) {
    const bool known = name.empty() || (may_be_init && name == "init") || is_program(name);
    if (!unknown && !known) unknown = name;
    return unknown.has_value();
  };
  for (const std::string_view list : {harden_names, priorities}) {
    static_cast<void>(find_part(
        list, ',', [&](std::string_view item) { return look_at(cut(item, ':').head, false); }));
  }
  for (const NamedGrant& grant : grants()) look_at(grant.process, false);
  for (const NamedInjection& injection : injections()) look_at(injection.name, true);
  look_at(inject_only, true);
  return unknown;
}

Result<Done, ArgumentError> parse_settings(std::string_view command_line, WordNamed word_named,
                                           Settings& settings) {
  std::array<std::string_view, Settings::max_words> storage;
  const auto words = split_words(command_line, settings.text, storage);
  if (!words)
    return Failure{ArgumentError{command_line, words.error(),
                                 "4096 characters, 128 arguments, quotes in pairs and \\\\ for a "
                                 "backslash"}};
  for (const std::string_view word : words.value())
    if (const auto read = read_argument(settings, word_named, word); !read) return read;
  return Done{};
}

Result<ModulePurpose, Error> parse_module_string(std::string_view text, std::span<char> storage,
                                                 std::span<std::string_view> words) {
  const auto split = split_words(text, storage, words);
  if (!split || split.value().empty()) return Failure{Error::ModuleString};
  const std::span<std::string_view> found = split.value();
  const auto name = behind(found.front(), "program=");
  if (name && is_process_name(*name)) {
    found.front() = *name;
    return ModulePurpose{ModuleRole::Program, *name, found.subspan(found.size() > 1 ? 1 : 0)};
  }
  const auto driver = behind(found.front(), "driver=");
  if (driver && is_process_name(*driver) && found.size() == 1) {
    found.front() = *driver;
    return ModulePurpose{ModuleRole::Driver, *driver, found};
  }
  ModuleRole role = ModuleRole::Program;
  if (found.size() == 1 && read_choice(found.front(), "||personality|archive|init", role) &&
      role != ModuleRole::Program)
    return ModulePurpose{role, {}, {}};
  return Failure{Error::ModuleString};
}

}  // namespace reprise
