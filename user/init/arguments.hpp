// The boot arguments: KEY=VALUE words, split as words.hpp says. A later one overrides an earlier
// one, except that `inject` and `env.` collect. An unknown or malformed argument is an error that
// says what is allowed: a typing error must not silently run a program unprotected.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/base/result.hpp"
#include "kernel/base/text_line.hpp"
#include "user/init/settings.hpp"

namespace reprise {

// Sets all defaults, then what the command line says. After an error `settings` is half filled.
// `settings` must be as constructed, and must outlive the error, which points into it.
[[nodiscard]] Result<Done, ArgumentError> parse_settings(std::string_view command_line,
                                                         WordNamed word_named, Settings& settings);

// What a stage's words (module_string.hpp) change of the kernel's settings. After an error
// `settings` is half filled.
[[nodiscard]] Result<Done, ArgumentError> read_stage(std::span<const std::string_view> words,
                                                     KernelSettings& settings);

// One row of the table in docs/running.md.
struct ArgumentDescription {
  std::string_view name;
  TextLine values;    // what may stand behind the "="
  TextLine fallback;  // without the argument; empty: there is no default, or the setting is off
  std::string_view meaning;
};

// The rows from 0; nothing behind the last.
[[nodiscard]] std::optional<ArgumentDescription> describe_argument(std::size_t index);

}  // namespace reprise
