// The kernel's command line as one structure: the defaults stand here, docs/running.md explains
// each. Arguments are blank-separated KEY=VALUE words (words.hpp); a later one overrides an earlier
// one, except that `inject` and `env.` collect. An unknown or malformed argument is an error that
// says what would be allowed: a typing error must not silently run a program unprotected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/base/address.hpp"
#include "kernel/base/error.hpp"
#include "kernel/base/result.hpp"
#include "kernel/parse/injection.hpp"

namespace reprise {

struct ArgumentError {
  Error error = Error::BadArgument;
  std::string_view argument;  // the word at fault
  std::string_view reason;    // what is wrong with it; of an injection the part at fault
  std::string_view allowed;   // what may stand there
};

// Views point into the object itself, so that the boot loader's memory may be reused: it is filled
// once and stays where it is.
struct Settings {
  enum class Policy : std::uint8_t { Rotate, Classic };
  enum class Harden : std::uint8_t { All, None, Names };
  enum class Check : std::uint8_t { Dirty, Full };
  enum class OnFail : std::uint8_t { Stop, Halt, Reboot };
  enum class Flush : std::uint8_t { None, Touched, All };
  enum class Input : std::uint8_t { None, Console };
  enum class Report : std::uint8_t { Full, Short, None };

  static constexpr std::size_t max_text = 4096;
  static constexpr std::size_t max_words = 128;
  static constexpr std::size_t max_injections = 64;
  static constexpr std::size_t max_environment = 32;

  Policy policy = Policy::Rotate;
  Harden harden = Harden::All;
  std::string_view harden_names;  // comma-separated, for Harden::Names
  Check check = Check::Dirty;
  bool check_words = true;
  OnFail on_fail = OnFail::Stop;
  unsigned pe_pages = 64;
  unsigned pe_restarts = 3;
  Nanoseconds pe_watchdog{10'000'000'000};
  Flush flush = Flush::None;
  std::uint64_t inject_seed = 1;
  std::uint64_t inject_rate = 0;  // one random flip every so many PEs on average; 0: none
  Input input = Input::None;      // stdin=
  bool console_serial = true;
  bool console_screen = true;
  Report report = Report::Full;

  Settings() = default;
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  [[nodiscard]] std::span<const Injection> injections() const {
    return std::span{injection_table_}.first(injection_count_);
  }
  // "NAME=VALUE", as a program's environment wants them.
  [[nodiscard]] std::span<const std::string_view> environment() const {
    return std::span{environment_table_}.first(environment_count_);
  }
  [[nodiscard]] bool hardens(std::string_view process) const;

  // Both return false when the table is full.
  [[nodiscard]] bool add(const Injection& injection);
  [[nodiscard]] bool add_environment(std::string_view pair);

  std::array<char, max_text> text{};  // the words, unquoted

private:
  std::array<Injection, max_injections> injection_table_{};
  std::size_t injection_count_ = 0;
  std::array<std::string_view, max_environment> environment_table_{};
  std::size_t environment_count_ = 0;
};

// `settings` must be as constructed; after an error it is half filled and only good for saying so.
[[nodiscard]] Result<Done, ArgumentError> parse_settings(std::string_view command_line,
                                                         WordNamed word_named, Settings& settings);

}  // namespace reprise
