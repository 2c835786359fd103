#include "user/init/event_line.hpp"

namespace reprise {
namespace {

bool needs_quotes(std::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '\\' || c == 0x7f) return true;
  }
  return value.empty();
}

}  // namespace

void EventLine::add_value(std::string_view text) {
  if (!needs_quotes(text)) {
    line_.append(text);
    return;
  }
  line_.append('"');
  for (const char c : text) {
    const bool escaped = c == '"' || c == '\\';
    if (line_.room() < (escaped ? 3u : 2u)) break;  // the closing quote has to fit
    if (escaped) line_.append('\\');
    line_.append(c >= ' ' && c != 0x7f ? c : '?');
  }
  line_.append('"');
}

}  // namespace reprise
