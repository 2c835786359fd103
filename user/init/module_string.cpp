// See module_string.hpp.
#include "user/init/module_string.hpp"

#include "user/init/words.hpp"

namespace reprise {
namespace {

// The roles that are one word.
constexpr std::array role_words{
    ChoiceWord<ModuleRole>{.word = "personality", .value = ModuleRole::Personality},
    ChoiceWord<ModuleRole>{.word = "archive", .value = ModuleRole::Archive},
    ChoiceWord<ModuleRole>{.word = "init", .value = ModuleRole::Init},
};

// The place of the first word that names a program; behind the last word: there is none.
std::size_t program_word(std::span<const std::string_view> words) {
  std::size_t place = 0;
  while (place < words.size() && !behind(words[place], "program=")) ++place;
  return place;
}

}  // namespace

Result<ModulePurpose, Error> parse_module_string(std::string_view text, std::span<char> storage,
                                                 std::span<std::string_view> words) {
  const auto split = split_words(text, storage, words);
  if (!split || split.value().empty()) return Failure{Error::ModuleString};
  std::span<std::string_view> found = split.value();
  std::optional<std::span<const std::string_view>> stage;
  if (found.front() == "then") {
    const std::size_t role = program_word(found);
    if (role == found.size()) return Failure{Error::ModuleString};
    stage = found.subspan(1, role - 1);
    found = found.subspan(role);
  }
  const auto name = behind(found.front(), "program=");
  if (name && is_process_name(*name)) {
    found.front() = *name;
    return ModulePurpose{ModuleRole::Program, *name, found.subspan(found.size() > 1 ? 1 : 0),
                         stage};
  }
  if (stage) return Failure{Error::ModuleString};
  const auto driver = behind(found.front(), "driver=");
  if (driver && is_process_name(*driver) && found.size() == 1) {
    found.front() = *driver;
    return ModulePurpose{ModuleRole::Driver, *driver, found, {}};
  }
  ModuleRole role{};
  if (found.size() == 1 && read_choice(found.front(), role_words, role)) {
    return ModulePurpose{role, {}, {}, {}};
  }
  return Failure{Error::ModuleString};
}

}  // namespace reprise
