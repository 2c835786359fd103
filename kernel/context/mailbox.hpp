// Where a context stands in its conversations with others and with the kernel. The message itself
// stays in the registers and the buffer of its sender, which waits in its call.
#pragma once

#include <cstdint>

#include "kernel/base/address.hpp"

namespace reprise {

struct Mailbox {
  static constexpr std::uint64_t nobody = 0;
  static constexpr Nanoseconds never{~std::uint64_t{0}};

  std::uint64_t server = nobody;  // number of the process that its REPRISE_CALL waits for
  bool received = false;          // by the server, which has not answered yet
  std::uint64_t called = 0;       // when, counted in calls of all: first come, first served
  std::uint64_t notes = 0;        // REPRISE_NOTE_... that it has not been told yet
  Nanoseconds alarm = never;
};

}  // namespace reprise
