// A broken invariant of the monitor ends its own process, and with it the guest.
#include "kernel/base/assert.hpp"
#include "user/monitor/report.hpp"

void reprise::panic_at(const char* file, int line, const char* what) {
  monitor::say("broken invariant of the monitor: ", std::string_view{what}, " (",
               std::string_view{file}, ":", static_cast<std::uint64_t>(line), ")");
  user::exit(127);
}
