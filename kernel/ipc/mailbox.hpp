// Where a process stands in its conversations with others and with the kernel. The message itself
// stays in the registers and the buffer of who sends it: it waits in its call.
#pragma once

#include <cstdint>

#include "kernel/base/address.hpp"

namespace reprise {

class Process;

struct Mailbox {
  static constexpr Nanoseconds never{~std::uint64_t{0}};

  Process* server = nullptr;      // whom its REPRISE_CALL waits for
  bool received = false;          // by the server, which has not answered yet
  std::uint64_t called = 0;       // when, in calls of all processes: first come, first served
  std::uint64_t notes = 0;        // what it is still to be told, REPRISE_NOTE_...
  Nanoseconds alarm = never;
};

}  // namespace reprise
