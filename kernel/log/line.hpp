// The kernel's own few lines, beside which all text is init's and the programs': whole lines that
// start at the left margin, whatever a program has printed before.
#pragma once

#include "kernel/base/text_line.hpp"

namespace reprise {

void print_whole_line(std::string_view prefix, std::string_view text);

// What a program prints: passed through as it is.
void print_for_program(std::string_view text);
void go_to_margin();

// For people: say("ended with status ", 3u)
template <class... Parts>
void say(const Parts&... parts) {
  print_whole_line("[reprise] ", TextLine{parts...}.view());
}

// For scripts: tell("init-ended status=", 3u), an event of docs/log-format.md.
template <class... Parts>
void tell(const Parts&... parts) {
  print_whole_line("reprise: ", TextLine{parts...}.view());
}

}  // namespace reprise
