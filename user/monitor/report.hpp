// The monitor's own lines. They go to the log whatever the guest's console is.
#pragma once

#include <cstdint>

#include "kernel/base/text_line.hpp"
#include "user/lib/calls.hpp"
#include "user/monitor/session.hpp"

namespace monitor {

using ShortHex = reprise::Hex;  // 0x and as many digits as it has

template <class... Parts>
void say(const Parts&... parts) {
  const reprise::TextLine line{"[reprise] guest: ", parts..., "\n"};
  user::log(line.view());
}

// Says how the guest ended. The result is the monitor's exit status: 0, the guest's own status, or
// failed_status.
[[nodiscard]] int report_end(const SessionResult& result);

inline constexpr int failed_status = 1, refused_status = 2;

}  // namespace monitor
