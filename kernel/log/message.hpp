// The kernel's own few lines. All other text is init's and the programs'.
#pragma once

#include "kernel/base/text_line.hpp"
#include "kernel/log/log.hpp"

namespace reprise {

// For people: log_message(log, "ended with status ", 3u)
template <class... Parts>
void log_message(Log& log, const Parts&... parts) {
  log.write_line("[reprise] ", TextLine{parts...}.view());
}

// For scripts: log_event(log, "init-ended status=", 3u), an event of docs/log-format.md.
template <class... Parts>
void log_event(Log& log, const Parts&... parts) {
  log.write_line("reprise: ", TextLine{parts...}.view());
}

}  // namespace reprise
