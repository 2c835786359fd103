#include "user/linux/terminal.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/drivers.hpp"
#include "user/linux/pipe.hpp"
#include "user/linux/process.hpp"
#include "user/linux/streams.hpp"
#include "user/linux/timers.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

constexpr char end_of_input = 0x04, backspace = 0x08, erase = 0x7f;

// Characters in order of arrival: [taken, ready) belong to finished lines, [ready, count) to the
// line that is being typed.
struct Input {
  char text[4096];
  std::uint32_t taken, ready, count;
  bool ended;   // 0x04 came on an empty line, and no read has reported it yet
  bool closed;  // the terminal sends nothing more
};
constinit Input input{};

struct WindowSize {
  std::uint16_t rows, columns, width, height;
};

// struct termios of the Linux ABI. It starts with canonical mode and echo on, signals off. A
// program that edits lines by itself turns canonical mode and echo off.
struct Terminal {
  std::uint32_t input, output, control, local;
  std::uint8_t line, characters[19];

  enum : std::uint32_t { ReturnIsNewline = 0400, Canonical = 02, Echo = 010 };
};
constinit Terminal terminal{.input = Terminal::ReturnIsNewline,
                            .output = 05,     // OPOST, ONLCR
                            .control = 0277,  // B38400, CS8, CREAD
                            .local = Terminal::Canonical | Terminal::Echo,
                            .line = 0,
                            .characters = {3, 28, 127, 21, 4, 0, 1}};

void echo(std::string_view text) {
  if (!process().terminal || (terminal.local & Terminal::Echo) == 0) return;
  native::log(reinterpret_cast<std::uint64_t>(text.data()), text.size());
}

void compact() {
  if (input.taken == 0) return;
  for (std::uint32_t i = input.taken; i < input.count; ++i) {
    input.text[i - input.taken] = input.text[i];
  }
  input.ready -= input.taken;
  input.count -= input.taken;
  input.taken = 0;
}

void accept(char character) {
  if (character == '\r' && (terminal.input & Terminal::ReturnIsNewline) != 0) character = '\n';
  if ((terminal.local & Terminal::Canonical) == 0) {
    input.text[input.count] = character;
    ++input.count;
    input.ready = input.count;
    echo({&character, 1});
  } else if (character == end_of_input) {
    if (input.count == input.ready) input.ended = true;
    input.ready = input.count;
  } else if (character == backspace || character == erase) {
    if (input.count > input.ready) {
      --input.count;
      echo("\b \b");
    }
  } else {
    input.text[input.count] = character;
    ++input.count;
    echo({&character, 1});
    // A line longer than the buffer is handed over in parts.
    if (character == '\n' || input.count == sizeof input.text) input.ready = input.count;
  }
}

bool ready() { return input.taken < input.ready || input.ended || input.closed; }

// Asks the terminal once. False: nothing came, which only Wait::No allows.
bool take_in(Wait wait) {
  compact();
  char part[256];
  std::size_t room = sizeof input.text - input.count;
  if (room > sizeof part) room = sizeof part;
  if (room == 0) return true;
  const native::Result result = read_input(part, room, wait);
  if (result == -REPRISE_WOULD_BLOCK) return false;
  if (result <= 0) {
    input.closed = true;
    input.ready = input.count;
  }
  for (native::Result i = 0; i < result; ++i) accept(part[i]);
  return true;
}

bool is_terminal(const OpenFile& file) {
  return file.kind == OpenKind::Input || file.kind == OpenKind::Output;
}

Value bytes_ready(const OpenFile& file, UserAddress to) {
  int count = 0;
  switch (file.kind) {
    case OpenKind::Input: count = static_cast<int>(input_bytes_ready(file)); break;
    case OpenKind::File: count = static_cast<int>(file.node->content.size() - file.offset); break;
    case OpenKind::PipeReader:
    case OpenKind::PipeWriter: count = static_cast<int>(file.pipe->count); break;
    default: return fail(Errno::NotTerminal);
  }
  return write_user(to, count) ? 0 : fail(Errno::Fault);
}

// Requests of ioctl (Linux, asm-generic/ioctls.h).
enum Request : std::uint32_t {
  GetTerminal = 0x5401,
  SetTerminal = 0x5402,
  SetTerminalWait = 0x5403,
  SetTerminalFlush = 0x5404,
  GetGroup = 0x540f,
  SetGroup = 0x5410,
  GetWindow = 0x5413,
  BytesReady = 0x541b,
  NonBlock = 0x5421,
  NoCloseOnExec = 0x5450,
  CloseOnExec = 0x5451
};

Value set_non_block(OpenFile& file, UserAddress from) {
  int value = 0;
  if (!read_user(from, value)) return fail(Errno::Fault);
  file.flags &= ~open_flags::non_block;
  if (value != 0) file.flags |= open_flags::non_block;
  return 0;
}

// A request that only a terminal knows.
Value terminal_request(std::uint32_t request, UserAddress address) {
  bool good = true;
  switch (request) {
    case GetTerminal: good = write_user(address, terminal); break;
    case SetTerminal:
    case SetTerminalWait:
    case SetTerminalFlush:
      good = read_user(address, terminal);
      if ((terminal.local & Terminal::Canonical) == 0) input.ready = input.count;
      break;
    case GetWindow:
      good = write_user(address, WindowSize{.rows = 25, .columns = 80, .width = 0, .height = 0});
      break;
    case GetGroup: good = write_user(address, static_cast<int>(process_number())); break;
    case SetGroup: {
      int group = 0;  // any group is accepted: the only process is in its own
      good = read_user(address, group);
      break;
    }
    default: return fail(Errno::NotTerminal);
  }
  return good ? 0 : fail(Errno::Fault);
}

}  // namespace

Value read_terminal(UserAddress to, std::uint64_t bytes, bool at_once) {
  while (!ready()) {
    const bool timed = timer_expiry() != never;  // its signal ends the wait
    if (take_in(at_once || timed ? Wait::No : Wait::Yes)) continue;
    if (at_once) return fail(Errno::Again);
    const std::uint64_t next = monotonic_nanoseconds() + terminal_interval;
    if (sleep_until(next) == Woken::BySignal) return fail(Errno::Restart);
  }
  std::uint64_t length = 0;
  while (length < bytes && input.taken + length < input.ready) {
    const bool line_ends = input.text[input.taken + length] == '\n';
    ++length;
    if (line_ends && (terminal.local & Terminal::Canonical) != 0) break;  // one line a read
  }
  if (length == 0) {
    if (bytes > 0) input.ended = false;
    return 0;
  }
  if (!copy_out(to, input.text + input.taken, length)) return fail(Errno::Fault);
  input.taken += static_cast<std::uint32_t>(length);
  return static_cast<Value>(length);
}

Value write_terminal(UserAddress from, std::uint64_t bytes) {
  std::uint64_t done = 0;
  while (done < bytes) {
    const native::Result result = native::log(from.value() + done, bytes - done);
    if (result <= 0 && bring_pages(from + done, bytes - done)) continue;
    if (result <= 0) return done > 0 ? static_cast<Value>(done) : fail(Errno::Fault);
    done += static_cast<std::uint64_t>(result);
  }
  return static_cast<Value>(done);
}

bool terminal_has_input() {
  while (!ready()) {
    if (!take_in(Wait::No)) return false;
  }
  return true;
}

void wait_for_terminal() {
  while (!ready()) take_in(Wait::Yes);
}

std::uint64_t terminal_bytes_ready() {
  static_cast<void>(terminal_has_input());
  return input.ready - input.taken;
}

Value call_ioctl(Call& call) {
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr) return fail(Errno::BadFile);
  const auto request = static_cast<std::uint32_t>(call.argument[1]);
  if (request == CloseOnExec || request == NoCloseOnExec) {
    set_close_on_exec(call.integer(0), request == CloseOnExec);
    return 0;
  }
  if (request == BytesReady) return bytes_ready(*file, call.user(2));
  if (request == NonBlock) return set_non_block(*file, call.user(2));
  if (!is_terminal(*file) || !process().terminal) return fail(Errno::NotTerminal);
  return terminal_request(request, call.user(2));
}

}  // namespace personality
