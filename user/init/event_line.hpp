// Whole lines for people, "[reprise] ...", and for scripts, "reprise: EVENT key=value ..."
// (docs/log-format.md). Both start at the left margin, whatever a program has printed before.
#pragma once

#include "kernel/base/text_line.hpp"

namespace reprise {

// output.cpp: lines are collected there.
void print_whole_line(std::string_view prefix, std::string_view text);

// say(name, ": ended with status ", 3u)
template <class... Parts>
void say(const Parts&... parts) {
  print_whole_line("[reprise] ", TextLine{parts...}.view());
}

// An event's line as it grows: EventLine{"exit", "process", name, "status", 3u}.print()
class EventLine {
public:
  template <class... Fields>
  explicit EventLine(std::string_view event, const Fields&... fields) : line_{event} {
    add(fields...);
  }
  void add() {}
  template <class Value, class... Rest>
  void add(std::string_view key, const Value& value, const Rest&... rest) {
    line_.append(" ", key, "=");
    add_value(value);
    add(rest...);
  }
  void print() const { print_whole_line("reprise: ", line_.view()); }

private:
  void add_value(std::string_view text);  // quoted where it must be; cut when it does not fit
  void add_value(const TextLine& text) { add_value(text.view()); }
  void add_value(std::unsigned_integral auto value) { line_.append(value); }
  void add_value(Hex value) { line_.append(value); }

  TextLine line_;
};

template <class... Fields>
void print_event(std::string_view event, const Fields&... fields) {
  EventLine{event, fields...}.print();
}

}  // namespace reprise
