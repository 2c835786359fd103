// See module_string.hpp.
#include "kernel/parse/module_string.hpp"

#include <optional>

#include "kernel/parse/text.hpp"
#include "kernel/parse/words.hpp"

namespace reprise {

bool is_process_name(std::string_view name) {
  if (name.empty() || name.size() > max_process_name) return false;
  for (const char c : name)
    if (c <= ' ' || c >= 0x7f || c == ',' || c == ':' || c == '=' || c == '"' || c == '\'' ||
        c == '\\')
      return false;
  return true;
}

Result<ModulePurpose, Error> parse_module_string(std::string_view text, std::span<char> storage,
                                                 std::span<std::string_view> words) {
  const auto split = split_words(text, storage, words);
  if (!split || split.value().empty()) return Failure{Error::ModuleString};
  const std::span<std::string_view> found = split.value();
  const std::string_view role = found.front();

  if (role == "personality" || role == "archive") {
    if (found.size() != 1) return Failure{Error::ModuleString};
    return ModulePurpose{role == "archive" ? ModuleRole::Archive : ModuleRole::Personality, {}, {}};
  }
  const auto name = behind(role, "program=");
  if (!name || !is_process_name(*name)) return Failure{Error::ModuleString};
  if (found.size() > 1) return ModulePurpose{ModuleRole::Program, *name, found.subspan(1)};
  found.front() = *name;
  return ModulePurpose{ModuleRole::Program, *name, found};
}

}  // namespace reprise
