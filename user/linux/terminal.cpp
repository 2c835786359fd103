#include "user/linux/terminal.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/drivers.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

constexpr char end_of_input = 0x04, backspace = 0x08, erase = 0x7f;

// Characters in order: [taken, ready) belong to finished lines, [ready, count) to the line at hand.
struct Input {
  char text[4096];
  std::uint32_t taken, ready, count;
  bool ended;  // 0x04 on an empty line, until a read has said so, or the terminal's end for good
  bool closed;
};
constinit Input input{};

struct WindowSize {
  std::uint16_t rows, columns, width, height;
};

// struct termios of the Linux ABI. At first: canonical mode, echo, signals off. A program that
// edits lines by itself turns both off.
struct Terminal {
  std::uint32_t input, output, control, local;
  std::uint8_t line, characters[19];

  enum : std::uint32_t { ReturnIsNewline = 0400, Canonical = 02, Echo = 010 };
};
constinit Terminal terminal{
    Terminal::ReturnIsNewline, 05, 0277, Terminal::Canonical | Terminal::Echo, 0,
    {3, 28, 127, 21, 4, 0, 1}};

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
    input.text[input.count++] = character;
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
    input.text[input.count++] = character;
    echo({&character, 1});
    // A line longer than the buffer is handed over in parts.
    if (character == '\n' || input.count == sizeof input.text) input.ready = input.count;
  }
}

bool ready() { return input.taken < input.ready || input.ended || input.closed; }

// Asks the terminal once; false: nothing came (Wait::No only).
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
  if (file.kind == OpenKind::Input) count = static_cast<int>(terminal_bytes_ready());
  if (file.kind == OpenKind::File && file.offset < file.node->content.size()) {
    count = static_cast<int>(file.node->content.size() - file.offset);
  }
  return write_user(to, count) ? 0 : fail(Errno::Fault);
}

}  // namespace

Value read_terminal(UserAddress to, std::uint64_t bytes, bool at_once) {
  while (!ready()) {
    if (!take_in(at_once ? Wait::No : Wait::Yes)) return fail(Errno::Again);
  }
  std::uint64_t length = 0;
  while (length < bytes && input.taken + length < input.ready) {
    const bool line_ends = input.text[input.taken + length++] == '\n';
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
  enum : std::uint32_t {
    GetTerminal = 0x5401,
    SetTerminal = 0x5402,
    SetTerminalFlush = 0x5404,
    GetGroup = 0x540f,
    SetGroup = 0x5410,
    GetWindow = 0x5413,
    BytesReady = 0x541b,
    NonBlock = 0x5421,
    CloseOnExec = 0x5451,
    NoCloseOnExec = 0x5450
  };
  OpenFile* file = descriptor(call.integer(0));
  if (file == nullptr) return fail(Errno::BadFile);
  const auto request = static_cast<std::uint32_t>(call.argument[1]);
  if (request == CloseOnExec || request == NoCloseOnExec) {
    set_close_on_exec(call.integer(0), request == CloseOnExec);
    return 0;
  }
  if (request == BytesReady) return bytes_ready(*file, call.user(2));
  if (request == NonBlock) {
    int value = 0;
    if (!read_user(call.user(2), value)) return fail(Errno::Fault);
    file->flags = (file->flags & ~open_flags::non_block) | (value != 0 ? open_flags::non_block : 0);
    return 0;
  }
  if (!is_terminal(*file) || !process().terminal) return fail(Errno::NotTerminal);
  bool good = true;
  if (request == GetTerminal) {
    good = write_user(call.user(2), terminal);
  } else if (request == GetWindow) {
    good = write_user(call.user(2), WindowSize{25, 80, 0, 0});
  } else if (request == GetGroup) {
    good = write_user(call.user(2), static_cast<int>(process_number()));
  } else if (request == SetGroup) {
    int group = 0;  // there is one process, whose group it is
    good = read_user(call.user(2), group);
  } else if (request >= SetTerminal && request <= SetTerminalFlush) {
    good = read_user(call.user(2), terminal);
    if ((terminal.local & Terminal::Canonical) == 0) input.ready = input.count;
  } else {
    return fail(Errno::NotTerminal);
  }
  return good ? 0 : fail(Errno::Fault);
}

}  // namespace personality
