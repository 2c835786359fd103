// Reads the string of a boot module, which says what the module is for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/base/result.hpp"
#include "user/loader/error.hpp"

namespace reprise {

// The string stands behind the file name (`module2 FILE STRING`):
//
//   program=NAME ARGV...   a program; without ARGV its only argument is NAME
//   then KEY=VALUE... program=NAME ARGV...
//                          the same, but it begins a stage: it and the programs behind it start
//                          once all before it have ended, with these settings of the kernel
//   driver=NAME            a program that serves the others: drivers.hpp
//   personality            the Linux personality (user/linux)
//   archive                the files, a cpio archive
//   init                   this program
enum class ModuleRole : std::uint8_t { Program, Driver, Personality, Archive, Init };

struct ModulePurpose {
  ModuleRole role = ModuleRole::Program;
  std::string_view name;                   // of the process; see is_process_name()
  std::span<const std::string_view> argv;  // at least one for a program; none for the others
  std::optional<std::span<const std::string_view>> stage{};  // it begins one: its settings
};

// The result views `storage` and `words`, used as by split_words(). Error: ModuleString.
[[nodiscard]] Result<ModulePurpose, Error> parse_module_string(std::string_view text,
                                                               std::span<char> storage,
                                                               std::span<std::string_view> words);

}  // namespace reprise
