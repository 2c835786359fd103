// What the boot arguments say, as one structure. arguments.hpp reads them; the rows and defaults
// stand in arguments.cpp and kernel/abi/settings.hpp, and docs/running.md lists them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/text_line.hpp"
#include "user/loader/error.hpp"

namespace reprise {

// Why an argument is refused.
struct ArgumentError {
  static constexpr Error error = Error::BadArgument;
  std::string_view argument;  // the word at fault
  std::string_view reason;    // what is wrong with it, or the part of the injection at fault
  TextLine allowed{};         // what may stand there
};

// Finds the index of a register word by its name; nothing when there is no such name. The parser
// gets it as a function, because it does not know the machine's registers.
using WordNamed = std::optional<std::size_t> (*)(std::string_view name);

// A flip on purpose: one item of the list behind `inject=`,
//
//   PROCESS:PE:RUN:TARGET:BIT[:start|end|at=N]
//
// with PE counted from 1, RUN 1 or 2, BIT 0 to 63 of a 64-bit word, and TARGET one of REGISTER,
// page.K.W, unmodified.K.W, snapshot.REGISTER and snapshot.page.K.W (docs/running.md). Without a
// moment it is the start for a register and the end for all others. The process has no number yet.
struct NamedInjection : Injection {
  std::string_view name;  // of the process
};

[[nodiscard]] Result<NamedInjection, ArgumentError> parse_injection(std::string_view item,
                                                                    WordNamed word_named);

// A grant of a device to a process: one item of the list behind `grant=` (docs/abi.md).
struct NamedGrant {
  std::string_view process;
  reprise_grant grant{};
};
[[nodiscard]] Result<NamedGrant, ArgumentError> parse_grant(std::string_view item);

// Views point into the object itself: it is filled once and stays where it is. As constructed it
// has no defaults yet: parse_settings() (arguments.hpp) sets them.
struct Settings {
  enum class Harden : std::uint8_t { All, None, Names };
  enum class OnFail : std::uint8_t { Stop, Halt, Reboot };
  enum class Counter : std::uint8_t { Auto, Pmu, Icount, Landmark };
  enum class Input : std::uint8_t { None, Terminal };
  enum class Streams : std::uint8_t { Console, Host };
  enum class Report : std::uint8_t { Full, Short, None, Sheet };

  static constexpr std::size_t max_text = 4096;
  static constexpr std::size_t max_words = 128;
  static constexpr std::size_t max_injections = 64;
  static constexpr std::size_t max_environment = 32;
  static constexpr std::size_t max_grants = 32;
  static constexpr unsigned default_priority = 4;

  KernelSettings kernel{};
  Harden harden = Harden::All;
  std::string_view harden_names;  // comma-separated, for Harden::Names
  OnFail on_fail = OnFail::Stop;
  std::string_view priorities;  // comma-separated NAME:LEVEL
  Nanoseconds stop_after{~std::uint64_t{0}};
  Counter counter = Counter::Auto;
  std::uint64_t inject_seed = 0;
  std::uint64_t inject_rate = 0;  // one random flip every so many PEs on average; 0: none
  std::string_view inject_only;   // a process; empty: all
  Input input = Input::None;      // stdin=
  Streams streams = Streams::Console;
  bool console_serial = false;
  bool console_screen = false;
  Report report = Report::Full;

  Settings() = default;
  Settings(const Settings&) = delete;

  [[nodiscard]] std::span<const NamedInjection> injections() const {
    return std::span{injection_table}.first(injection_count);
  }
  [[nodiscard]] std::span<const NamedGrant> grants() const {
    return std::span{grant_table}.first(grant_count);
  }
  // "NAME=VALUE" each, as in a program's environment.
  [[nodiscard]] std::span<const std::string_view> environment() const {
    return std::span{environment_table}.first(environment_count);
  }
  [[nodiscard]] bool hardens(std::string_view process) const;
  [[nodiscard]] unsigned priority_of(std::string_view process) const;
  // Whether some process may make guests: then there may be programs of their names.
  [[nodiscard]] bool grants_guests() const;
  // A name that no program of this boot has, in harden=, priority=, grant=, inject= or
  // inject.only=. The last two may also name "init". A typing error would otherwise pass unnoticed.
  [[nodiscard]] std::optional<std::string_view> unknown_name(
      bool (*is_program)(std::string_view name)) const;

  // Filled by parse_settings().
  std::array<char, max_text> text{};  // the words, unquoted
  std::array<NamedInjection, max_injections> injection_table{};
  std::size_t injection_count = 0;
  std::array<NamedGrant, max_grants> grant_table{};
  std::size_t grant_count = 0;
  std::array<std::string_view, max_environment> environment_table{};
  std::size_t environment_count = 0;
};

}  // namespace reprise
