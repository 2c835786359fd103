// See module_string.hpp.
#include "kernel/parse/module_string.hpp"

namespace reprise {

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
  if (found.size() == 1 && found.front() == "personality")
    return ModulePurpose{ModuleRole::Personality, {}, {}};
  if (found.size() == 1 && found.front() == "archive")
    return ModulePurpose{ModuleRole::Archive, {}, {}};
  return Failure{Error::ModuleString};
}

}  // namespace reprise
