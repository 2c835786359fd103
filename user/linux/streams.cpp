#include "user/linux/streams.hpp"

#include "user/linux/clock.hpp"
#include "user/linux/host.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"
#include "user/linux/terminal.hpp"
#include "user/linux/timers.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

bool is_served(const OpenFile& file) {
  return file.stream != Stream::Console && streams_are_served();
}

// The driver has ended. From now on output goes to the console, and input is at its end.
void lose_server() {
  Line() << process().executable << ": the way to the host is gone; its output goes to the console";
  process().start.stream_server = 0;
  process().start.stream_rights = 0;
}

bool may_read() { return (process().start.stream_rights & REPRISE_STREAM_INPUT) != 0; }

// What the host has for a process; without the right to it, its end.
HostInput ask_for_input(std::uint64_t address, std::uint64_t most, Wait wait) {
  if (!may_read()) return {.bytes = 0, .available = 0};
  const HostInput input = read_from_host(address, most, wait);
  const bool lost =
      input.bytes < 0 && input.bytes != -REPRISE_WOULD_BLOCK && input.bytes != -REPRISE_BAD_ADDRESS;
  if (!lost) return input;
  lose_server();
  return {.bytes = 0, .available = 0};
}

}  // namespace

bool streams_are_served() { return process().start.stream_server != 0; }

Value read_stream(const OpenFile& file, UserAddress to, std::uint64_t bytes) {
  const bool at_once = (file.flags & open_flags::non_block) != 0;
  if (!is_served(file)) return read_terminal(to, bytes, at_once);
  if (bytes == 0) return 0;
  for (;;) {
    const bool timed = timer_expiry() != never;  // its signal ends the wait
    const HostInput input =
        ask_for_input(to.value(), bytes, at_once || timed ? Wait::No : Wait::Yes);
    if (input.bytes >= 0) return input.bytes;
    if (input.bytes != -REPRISE_WOULD_BLOCK) {
      if (bring_pages(to, bytes)) continue;
      return fail(Errno::Fault);
    }
    if (at_once) return fail(Errno::Again);
    const std::uint64_t next = monotonic_nanoseconds() + terminal_interval;
    if (sleep_until(next) == Woken::BySignal) return fail(Errno::Restart);
  }
}

Value write_stream(const OpenFile& file, UserAddress from, std::uint64_t bytes) {
  const auto kind =
      file.stream == Stream::Errors ? drivers::FrameKind::Errors : drivers::FrameKind::Output;
  std::uint64_t done = 0;
  while (done < bytes && is_served(file)) {
    const std::uint64_t left = bytes - done;
    const std::uint64_t length = left < REPRISE_MESSAGE_BYTES ? left : REPRISE_MESSAGE_BYTES;
    const native::Result result = send_to_host(kind, from.value() + done, length);
    if (result == -REPRISE_BAD_ADDRESS) {
      if (bring_pages(from + done, length)) continue;
      return done > 0 ? static_cast<Value>(done) : fail(Errno::Fault);
    }
    if (result < 0) {
      lose_server();
    } else {
      done += length;
    }
  }
  if (done == bytes) return static_cast<Value>(done);
  const Value rest = write_terminal(from + done, bytes - done);
  return rest < 0 ? rest : static_cast<Value>(done) + rest;
}

bool has_input(const OpenFile& file) {
  if (!is_served(file)) return terminal_has_input();
  return ask_for_input(0, 0, Wait::No).bytes != -REPRISE_WOULD_BLOCK;
}

void wait_for_input(const OpenFile& file) {
  if (!is_served(file)) return wait_for_terminal();
  static_cast<void>(ask_for_input(0, 0, Wait::Yes));
}

std::uint64_t input_bytes_ready(const OpenFile& file) {
  return is_served(file) ? ask_for_input(0, 0, Wait::No).available : terminal_bytes_ready();
}

}  // namespace personality
