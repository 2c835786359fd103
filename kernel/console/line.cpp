#include "kernel/console/line.hpp"

#include "arch/machine.hpp"

namespace reprise {
namespace {

bool at_margin = true;

bool needs_quotes(std::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '\\' || c == 0x7f) return true;
  }
  return value.empty();
}

}  // namespace

void print_whole_line(std::string_view prefix, std::string_view text) {
  if (!at_margin) arch::write_console("\n");
  for (const std::string_view part : {prefix, text, std::string_view{"\n"}}) {
    arch::write_console(part);
  }
  at_margin = true;
}

void EventLine::add_value(std::string_view text) {
  if (!needs_quotes(text)) return line_.append(text);
  line_.append('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') line_.append('\\');
    line_.append(c >= ' ' && c != 0x7f ? c : '?');
  }
  line_.append('"');
}

void print_for_program(std::string_view text) {
  if (text.empty()) return;
  arch::write_console(text);
  at_margin = text.back() == '\n';
}

}  // namespace reprise
