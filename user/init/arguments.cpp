// The rows of the boot arguments that only init knows, and the reading of all arguments. The rows
// that the kernel shares stand in kernel/abi/settings.hpp. A row says what its values may be, so
// that a refused argument can name what is allowed.
#include "user/init/arguments.hpp"

#include <tuple>

#include "kernel/base/arithmetic.hpp"
#include "kernel/base/assert.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

struct Reading {
  Settings& settings;
  WordNamed word_named;
  std::string_view argument;             // KEY=VALUE
  std::optional<ArgumentError> error{};  // set by a reader that can say more than "malformed"

  bool refuse(std::string_view reason, std::string_view allowed) {
    error.emplace(ArgumentError{argument, reason, TextLine{allowed}});
    return false;
  }
  bool refuse(const ArgumentError& of_item) {
    return refuse(of_item.reason, of_item.allowed.view());
  }
};

// A row for a value with a form of its own.
struct TextSetting {
  std::string_view name;
  std::string_view form;                                   // of the value
  bool (*read)(Reading& reading, std::string_view value);  // stores it; false: malformed
  std::string_view fallback;  // the value without the argument; empty: nothing is read
  std::string_view meaning;
};

bool read_harden(Reading& r, std::string_view value) {
  r.settings.harden_names = {};
  r.settings.harden = Settings::Harden::All;
  if (value == "all") return true;
  r.settings.harden = Settings::Harden::None;
  if (value == "none") return true;
  r.settings.harden = Settings::Harden::Names;
  r.settings.harden_names = value;
  return !find_part(value, ',', [](std::string_view name) {
    return !is_process_name(name) || name == "all" || name == "none";
  });
}

bool read_console(Reading& r, std::string_view value) {
  bool serial = false;
  bool screen = false;
  const auto unknown = find_part(value, ',', [&](std::string_view name) {
    serial = serial || name == "serial";
    screen = screen || name == "screen";
    return name != "serial" && name != "screen";
  });
  r.settings.console_serial = serial;
  r.settings.console_screen = screen;
  r.settings.kernel.serial_output = serial ? SerialOutput::Written : SerialOutput::Withheld;
  return !unknown;
}

bool read_priority(Reading& r, std::string_view value) {
  r.settings.priorities = value;
  return !find_part(value, ',', [](std::string_view item) {
    const Cut parts = cut(item, ':');
    unsigned level = 0;
    return !is_process_name(parts.head) || !parts.tail ||
           !read_number(*parts.tail, 0, highest_priority, level);
  });
}

bool read_stop_after(Reading& r, std::string_view value) {
  constexpr std::uint64_t longest = 1'000'000'000'000'000'000;  // nanoseconds
  const bool milliseconds = value.ends_with("ms");
  if (milliseconds) value.remove_suffix(2);
  const std::uint64_t unit = milliseconds ? 1'000'000 : 1'000'000'000;
  std::uint64_t count = 0;
  if (!read_number(value, 1, longest / unit, count)) return false;
  r.settings.stop_after = Nanoseconds{count * unit};
  return true;
}

bool add_injection(Reading& r, std::string_view item) {
  Settings& s = r.settings;
  const auto injection = parse_injection(item, r.word_named);
  if (!injection) return r.refuse(injection.error());
  if (s.injection_count == s.max_injections) {
    return r.refuse("too many injections", "64 injections in all; inject.rate=N makes more");
  }
  s.injection_table[s.injection_count] = injection.value();
  ++s.injection_count;
  return true;
}

bool read_inject(Reading& r, std::string_view value) {
  return !find_part(value, ',', [&](std::string_view item) { return !add_injection(r, item); });
}

bool read_inject_only(Reading& r, std::string_view value) {
  r.settings.inject_only = value;
  return is_process_name(value);
}

bool add_grant(Reading& r, std::string_view item) {
  Settings& s = r.settings;
  const auto grant = parse_grant(item);
  if (!grant) return r.refuse(grant.error());
  if (s.grant_count == s.max_grants) return r.refuse("too many grants", "32 grants in all");
  s.grant_table[s.grant_count] = grant.value();
  ++s.grant_count;
  return true;
}

bool read_grant(Reading& r, std::string_view value) {
  return !find_part(value, ',', [&](std::string_view item) { return !add_grant(r, item); });
}

bool is_letter(char c) { return is_between('A', c, 'Z') || is_between('a', c, 'z') || c == '_'; }

bool is_variable_name(std::string_view name) {
  for (const char c : name) {
    if (!is_letter(c) && !is_between('0', c, '9')) return false;
  }
  return !name.empty() && !is_between('0', name.front(), '9');
}

// The name belongs to the key, so the reader takes the whole argument apart.
bool read_variable(Reading& r, std::string_view) {
  Settings& s = r.settings;
  const std::string_view pair = *behind(r.argument, "env.");
  const std::string_view name = cut(pair, '=').head;
  if (!is_variable_name(name)) return false;
  std::size_t place = 0;
  while (place < s.environment_count && cut(s.environment_table[place], '=').head != name) ++place;
  if (place == s.max_environment) return r.refuse("too many variables", "32 variables");
  s.environment_table[place] = pair;
  if (place == s.environment_count) ++s.environment_count;
  return true;
}

constexpr std::array on_fail_words{
    ChoiceWord<Settings::OnFail>{.word = "stop", .value = Settings::OnFail::Stop},
    ChoiceWord<Settings::OnFail>{.word = "halt", .value = Settings::OnFail::Halt},
    ChoiceWord<Settings::OnFail>{.word = "reboot", .value = Settings::OnFail::Reboot},
};
constexpr std::array counter_words{
    ChoiceWord<Settings::Counter>{.word = "auto", .value = Settings::Counter::Auto},
    ChoiceWord<Settings::Counter>{.word = "pmu", .value = Settings::Counter::Pmu},
    ChoiceWord<Settings::Counter>{.word = "icount", .value = Settings::Counter::Icount},
    ChoiceWord<Settings::Counter>{.word = "landmark", .value = Settings::Counter::Landmark},
};
constexpr std::array input_words{
    ChoiceWord<Settings::Input>{.word = "none", .value = Settings::Input::None},
    ChoiceWord<Settings::Input>{.word = "console", .value = Settings::Input::Terminal},
};
constexpr std::array streams_words{
    ChoiceWord<Settings::Streams>{.word = "console", .value = Settings::Streams::Console},
    ChoiceWord<Settings::Streams>{.word = "host", .value = Settings::Streams::Host},
};
constexpr std::array report_words{
    ChoiceWord<Settings::Report>{.word = "full", .value = Settings::Report::Full},
    ChoiceWord<Settings::Report>{.word = "short", .value = Settings::Report::Short},
    ChoiceWord<Settings::Report>{.word = "none", .value = Settings::Report::None},
    ChoiceWord<Settings::Report>{.word = "sheet", .value = Settings::Report::Sheet},
};

constexpr std::tuple init_settings{
    TextSetting{
        .name = "harden",
        .form = "all|none|NAME,NAME...",
        .read = read_harden,
        .fallback = "all",
        .meaning = "Which programs run twice. The others run once, for comparison.",
    },
    ChoiceSetting<Settings, Settings::OnFail>{
        .name = "onfail",
        .member = &Settings::on_fail,
        .words = on_fail_words,
        .fallback = Settings::OnFail::Stop,
        .meaning = "What follows a mismatch that stands: that program is stopped, or all are and "
                   "the machine halts or reboots.",
    },
    ChoiceSetting<Settings, Settings::Counter>{
        .name = "counter",
        .member = &Settings::counter,
        .words = counter_words,
        .fallback = Settings::Counter::Auto,
        .meaning = "What counts instructions. `auto` takes the first counter that CPUID announces "
                   "and that passes its self-test; a named one must pass it, too.",
    },
    TextSetting{
        .name = "priority",
        .form = "NAME:LEVEL,... (LEVEL 0 to 7)",
        .read = read_priority,
        .fallback = "",
        .meaning = "Priorities of programs; 4 for all others. The highest program that can run "
                   "runs. A lower one waits, for ever if need be.",
    },
    TextSetting{
        .name = "stop.after",
        .form = "SECONDS or MILLISECONDSms",
        .read = read_stop_after,
        .fallback = "",
        .meaning = "When programs that still run are ended, counted from kernel entry. It counts "
                   "as no failure.",
    },
    TextSetting{
        .name = "inject",
        .form = "PROCESS:PE:RUN:TARGET:BIT[:start|end|at=N],...",
        .read = read_inject,
        .fallback = "",
        .meaning = "Flips on purpose, below; up to 64.",
    },
    NumberSetting<Settings>{
        .name = "inject.rate",
        .member = &Settings::inject_rate,
        .low = 1,
        .high = 1'000'000'000,
        .fallback = 0,
        .unit = "PEs",
        .meaning = "Random flips: one in so many PEs on average. They strike from the programs' "
                   "start to the last report, in init, too.",
    },
    NumberSetting<Settings>{
        .name = "inject.seed",
        .member = &Settings::inject_seed,
        .low = 0,
        .high = ~std::uint64_t{0},
        .fallback = 1,
        .unit = "",
        .meaning = "Where random flips begin: the same seed gives the same flips.",
    },
    TextSetting{
        .name = "inject.only",
        .form = "NAME",
        .read = read_inject_only,
        .fallback = "",
        .meaning = "The one process that random flips hit. Without it they hit all.",
    },
    TextSetting{
        .name = "grant",
        .form = "PROCESS:port:LOW-HIGH|mmio:FIRST-LAST|irq:LINE|log|guest,...",
        .read = read_grant,
        .fallback = "",
        .meaning = "What a process may reach of the machine, below; up to 32.",
    },
    ChoiceSetting<Settings, Settings::Input>{
        .name = "stdin",
        .member = &Settings::input,
        .words = input_words,
        .fallback = Settings::Input::None,
        .meaning = "The programs' input: at its end at once, or what is typed at the terminal.",
    },
    ChoiceSetting<Settings, Settings::Streams>{
        .name = "streams",
        .member = &Settings::streams,
        .words = streams_words,
        .fallback = Settings::Streams::Console,
        .meaning = "Where programs' standard streams are: the console, or the host that shares "
                   "memory with the machine, below.",
    },
    TextSetting{
        .name = "console",
        .form = "serial,screen or one of them",
        .read = read_console,
        .fallback = "serial,screen",
        .meaning = "Where output goes, and so which drivers run.",
    },
    ChoiceSetting<Settings, Settings::Report>{
        .name = "report",
        .member = &Settings::report,
        .words = report_words,
        .fallback = Settings::Report::Full,
        .meaning = "How much is said at a program's end. `sheet`: nothing then, and at the end of "
                   "all a page of figures to photograph.",
    },
    TextSetting{
        .name = "env.NAME",
        .form = "VALUE",
        .read = read_variable,
        .fallback = "",
        .meaning = "A variable in every program's environment; up to 32.",
    },
};

// The values that a row allows, as text.
template <class Owner>
TextLine values_of(const NumberSetting<Owner>& row) {
  TextLine values{row.low, " to ", row.high};
  if (!row.unit.empty()) values.append(" ", row.unit);
  if (!row.word.empty()) values.append(" or ", row.word);
  return values;
}
template <class Owner, class E>
TextLine values_of(const ChoiceSetting<Owner, E>& row) {
  TextLine values;
  for (const ChoiceWord<E>& choice : row.words) {
    if (!values.view().empty()) values.append("|");
    values.append(choice.word);
  }
  return values;
}
TextLine values_of(const TextSetting& row) { return TextLine{row.form}; }

template <class Owner>
TextLine fallback_of(const NumberSetting<Owner>& row) {
  return row.fallback < row.low ? TextLine{row.word} : TextLine{row.fallback};
}
template <class Owner, class E>
TextLine fallback_of(const ChoiceSetting<Owner, E>& row) {
  for (const ChoiceWord<E>& choice : row.words) {
    if (choice.value == row.fallback) return TextLine{choice.word};
  }
  return TextLine{};
}
TextLine fallback_of(const TextSetting& row) { return TextLine{row.fallback}; }

// Stores the value in `owner`. False: the row does not allow it.
template <class Owner>
bool store_value(const NumberSetting<Owner>& row, Owner& owner, std::string_view value) {
  std::uint64_t number = 0;
  const bool word = !row.word.empty() && value == row.word;
  if (!word && !read_number(value, row.low, row.high, number)) return false;
  owner.*row.member = number * row.scale;
  return true;
}
template <class Owner, class E>
bool store_value(const ChoiceSetting<Owner, E>& row, Owner& owner, std::string_view value) {
  return read_choice(value, row.words, owner.*row.member);
}
template <class Row, class Owner>
bool read_value(const Row& row, Owner& owner, Reading&, std::string_view value) {
  return store_value(row, owner, value);
}
bool read_value(const TextSetting& row, Settings&, Reading& reading, std::string_view value) {
  return row.read(reading, value);
}

void set_fallback(const TextSetting& row, Settings& settings) {
  Reading reading{.settings = settings, .word_named = nullptr, .argument = row.name};
  if (!row.fallback.empty()) REPRISE_ASSERT(row.read(reading, row.fallback));
}

// Calls use(row, owner) for each row of both tables until it returns true. False: it never did.
template <class Use>
bool any_row(Settings& settings, Use use) {
  const auto rows_of = [&use](auto& owner) {
    return [&use, &owner](const auto&... row) { return (use(row, owner) || ...); };
  };
  return std::apply(rows_of(settings.kernel), kernel_settings) ||
         std::apply(rows_of(settings), init_settings);
}

Result<Done, ArgumentError> read_argument(Settings& settings, WordNamed word_named,
                                          std::string_view argument) {
  const Cut parts = cut(argument, '=');
  const std::string_view key = argument.starts_with("env.") ? "env.NAME" : parts.head;
  Result<Done, ArgumentError> result = Failure{
      ArgumentError{argument, "unknown", TextLine{"the arguments listed in docs/running.md"}}};
  any_row(settings, [&](const auto& row, auto& owner) {
    if (row.name != key) return false;
    Reading reading{.settings = settings, .word_named = word_named, .argument = argument};
    const bool stored = parts.tail && read_value(row, owner, reading, *parts.tail);
    const TextLine allowed{row.name, "=", values_of(row)};
    if (stored) {
      result = Done{};
    } else {
      result = Failure{reading.error.value_or(ArgumentError{argument, "malformed", allowed})};
    }
    return true;
  });
  return result;
}

}  // namespace

Result<Done, ArgumentError> parse_settings(std::string_view command_line, WordNamed word_named,
                                           Settings& settings) {
  any_row(settings, [](const auto& row, auto& owner) {
    set_fallback(row, owner);
    return false;
  });
  std::array<std::string_view, Settings::max_words> storage;
  const auto words = split_words(command_line, settings.text, storage);
  if (!words) {
    return Failure{ArgumentError{command_line, words.error(),
                                 TextLine{"4096 characters, 128 arguments, quotes in pairs and "
                                          "\\\\ for a backslash"}}};
  }
  for (const std::string_view word : words.value()) {
    if (const auto read = read_argument(settings, word_named, word); !read) return read;
  }
  return Done{};
}

Result<Done, ArgumentError> read_stage(std::span<const std::string_view> words,
                                       KernelSettings& settings) {
  for (const std::string_view word : words) {
    const Cut parts = cut(word, '=');
    Result<Done, ArgumentError> result =
        Failure{ArgumentError{word, "no setting of the kernel",
                              TextLine{"such arguments of docs/running.md as the kernel sees"}}};
    const auto read = [&](const auto& row) {
      if (row.name != parts.head) return false;
      result = Done{};
      if (!parts.tail || !store_value(row, settings, *parts.tail)) {
        result = Failure{ArgumentError{word, "malformed", TextLine{row.name, "=", values_of(row)}}};
      }
      return true;
    };
    std::apply([&](const auto&... row) { (void)(read(row) || ...); }, kernel_settings);
    if (!result) return result;
  }
  return Done{};
}

std::optional<ArgumentDescription> describe_argument(std::size_t index) {
  std::optional<ArgumentDescription> description;
  std::size_t at = 0;
  const auto look_at = [&](const auto& row) {
    if (at == index) {
      description.emplace(
          ArgumentDescription{row.name, values_of(row), fallback_of(row), row.meaning});
    }
    ++at;
  };
  std::apply([&](const auto&... row) { (look_at(row), ...); },
             std::tuple_cat(kernel_settings, init_settings));
  return description;
}

}  // namespace reprise
