// See settings.hpp.
#include "user/init/settings.hpp"

#include "user/init/words.hpp"

namespace reprise {

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

bool Settings::grants_guests() const {
  for (const NamedGrant& grant : grants()) {
    if (grant.grant.kind == REPRISE_GRANT_GUEST) return true;
  }
  return false;
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

}  // namespace reprise
