#include "user/drivers/terminal_server.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "tests/catch.hpp"

namespace {

// A 16550 behind ports with the other end of its line, or an empty bus that answers FFh.
struct Device {
  bool there = true;
  bool line_moves = true;  // the other end takes bytes
  bool has_fifo = true;
  bool raises = true;    // false: its interrupts get lost
  bool babbles = false;  // always has one more cause for an interrupt
  std::string sent;
  std::deque<std::pair<char, bool>> arrived;  // true: the character is noise
  bool overrun = false;
  unsigned in_fifo = 0, lost = 0;
  unsigned long accesses = 0;
  std::uint8_t scratch = 0, enabled = 0, line_control = 0;
  bool empty_told = true;  // TransmitterEmpty has been acknowledged

  void drain() {
    if (!line_moves || in_fifo == 0) return;
    in_fifo = 0;
    empty_told = false;
  }
  [[nodiscard]] bool noise_is_next() const { return !arrived.empty() && arrived.front().second; }
  [[nodiscard]] std::uint8_t cause() const {
    if (babbles) return 0;
    if ((enabled & 4) != 0 && (overrun || noise_is_next())) return 6;
    if ((enabled & 1) != 0 && !arrived.empty()) return 4;
    return (enabled & 2) != 0 && !empty_told ? 2 : 1;
  }
  [[nodiscard]] bool interrupts() const { return raises && there && (cause() & 1) == 0; }
};
Device device;

struct Ports {
  static void write8(unsigned port, std::uint8_t value) {
    ++device.accesses;
    if (!device.there) return;
    if (port == 0x3f9 && (device.line_control & 0x80) == 0) device.enabled = value;
    if (port == 0x3fb) device.line_control = value;
    if (port == 0x3ff) device.scratch = value;
    if (port != 0x3f8 || (device.line_control & 0x80) != 0) return;
    device.empty_told = true;
    if (device.in_fifo == (device.has_fifo ? 16u : 1u)) {
      ++device.lost;
      return;
    }
    ++device.in_fifo;
    device.sent.push_back(static_cast<char>(value));
  }
  static void write_all(unsigned port, std::span<const char> bytes) {
    for (const char c : bytes) write8(port, static_cast<std::uint8_t>(c));
  }
  static std::uint8_t read8(unsigned port) {
    ++device.accesses;
    if (!device.there) return 0xff;
    if (port == 0x3fa) {
      const std::uint8_t cause = device.cause();
      if (cause == 2) device.empty_told = true;
      return static_cast<std::uint8_t>(cause | (device.has_fifo ? 0xc0 : 0));
    }
    if (port == 0x3fd) {
      const unsigned status = (device.arrived.empty() ? 0u : 1u) | (device.overrun ? 2u : 0u) |
                              (device.noise_is_next() ? 8u : 0u) |
                              (device.in_fifo == 0 ? 0x60u : 0u);
      device.overrun = false;
      if (device.noise_is_next()) device.arrived.front().second = false;
      return static_cast<std::uint8_t>(status);
    }
    if (port == 0x3ff) return device.scratch;
    if (port != 0x3f8 || device.arrived.empty()) return 0;
    const char c = device.arrived.front().first;
    device.arrived.pop_front();
    return static_cast<std::uint8_t>(c);
  }
};

struct Kernel {
  static inline std::string log;
  static inline std::size_t read = 0;        // of the log
  static inline std::int64_t alarm_in = -1;  // nanoseconds; below 0: none
  static inline std::uint64_t lost = 0;
  static inline std::size_t under_way =
      0;  // sent, at the time of a read: must be all that was read

  static std::size_t read_log(std::span<char> buffer) {
    under_way = read;
    const std::size_t count = std::min(buffer.size(), log.size() - read);
    std::copy_n(log.begin() + static_cast<std::ptrdiff_t>(read), count, buffer.begin());
    read += count;
    return count;
  }
  static void alarm(std::uint64_t from_now) { alarm_in = static_cast<std::int64_t>(from_now); }
  static void say_lost(std::uint64_t count) { lost += count; }
};

using Server = drivers::TerminalServer<Ports, Kernel>;

// The loop of terminal.cpp, one turn at a time, with the kernel's notes.
struct Machine {
  explicit Machine(Server::Input input = Server::Input::Open, Device given = {}) : server{input} {
    device = std::move(given);
    Kernel::log.clear();
    Kernel::read = 0;
    Kernel::lost = 0;
    Kernel::alarm_in = -1;
  }
  void print(std::string_view text) {
    Kernel::log += text;
    notes |= REPRISE_NOTE_LOG;
  }
  void type(std::string_view text) {
    for (const char c : text) device.arrived.emplace_back(c, false);
  }
  void ask(std::uint64_t process, std::uint64_t bytes, std::uint64_t flags = 0,
           std::uint64_t operation = service::terminal_read) {
    settle();
    server.requested(process, operation, bytes, flags);
    settle();
  }
  // Runs until nothing is left to do for a while. Adds the given answers to `answers`.
  void settle(unsigned turns = 10'000) {
    const std::uint64_t end = time + patience;
    for (; turns != 0; --turns) {
      const Server::Answer answer = server.answer();
      if (answer.to != 0) {
        const bool taken = answer.to != refuses;
        if (taken) {
          answers += std::to_string(answer.to) + ":" + std::to_string(answer.status) + ":" +
                     std::string{answer.bytes.begin(), answer.bytes.end()} + ";";
        }
        server.answered(taken ? Server::Given::Yes : Server::Given::No);
        if (!taken) continue;
      } else {
        server.answered(Server::Given::Yes);
      }
      device.drain();
      std::uint64_t now = std::exchange(notes, 0) | (device.interrupts() ? 1u << 4 : 0);
      if (now == 0 && Kernel::alarm_in >= 0) {
        if (time + static_cast<std::uint64_t>(Kernel::alarm_in) > end) return;
        time += static_cast<std::uint64_t>(Kernel::alarm_in);
        Kernel::alarm_in = -1;
        now = REPRISE_NOTE_ALARM;
      }
      if (now == 0) return;
      server.notified(now);
    }
  }

  Server server;
  std::uint64_t notes = 0;
  std::uint64_t time = 0, patience = 20'000'000'000;  // nanoseconds, in one settle()
  std::uint64_t refuses = 0;                          // a process that takes no answer
  std::string answers;
};

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

std::string with_returns(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string{"\r\n"} : std::string{c};
  return result;
}

}  // namespace

TEST_CASE("the log goes out whole, with a carriage return before each line feed") {
  for (const bool fifo : {true, false}) {
    Device given;
    given.has_fifo = fifo;
    Machine machine{Server::Input::Open, given};
    REQUIRE(machine.server.start());
    machine.print(lines(200));
    machine.settle(100'000);
    machine.print("\n\nend");
    machine.settle(100'000);
    CHECK(device.lost == 0);
    CHECK(device.sent == with_returns(lines(200) + "\n\nend"));
  }
}

TEST_CASE("a chunk costs two accesses to ports") {
  Machine machine;
  REQUIRE(machine.server.start());
  const unsigned long before = device.accesses;
  machine.print(std::string(1600, 'x'));
  machine.settle();
  CHECK(device.accesses - before < 1600 + 250);  // this device counts each byte of a chunk
}

TEST_CASE("more text is asked for only when all before it is out") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.print(std::string(5000, 'y'));
  device.line_moves = false;
  machine.patience = 50'000'000;
  machine.settle();
  CHECK(Kernel::read == 1024);
  CHECK(device.sent.size() == 16);
  device.line_moves = true;
  machine.settle();
  CHECK(Kernel::under_way == 5000);  // the last read found nothing, so all text is out
  CHECK(device.sent.size() == 5000);
}

TEST_CASE("where no UART answers the log is drained and input is at its end") {
  Device given;
  given.there = false;
  Machine machine{Server::Input::Open, given};
  CHECK_FALSE(machine.server.start());
  const unsigned long after_start = device.accesses;
  machine.print(lines(1000));
  machine.ask(7, 100);
  CHECK(Kernel::read == Kernel::log.size());
  CHECK(device.accesses == after_start);
  CHECK(machine.answers == "7:0:;");
}

TEST_CASE("text that the kernel has left in the FIFO goes out first") {
  Device given;
  given.in_fifo = 10;
  Machine machine{Server::Input::Open, given};
  REQUIRE(machine.server.start());
  machine.print("0123456789");
  machine.settle();
  CHECK(device.lost == 0);
  CHECK(device.sent == "0123456789");
}

TEST_CASE("lost interrupts delay the text and lose none of it") {
  Device given;
  given.raises = false;
  Machine machine{Server::Input::Open, given};
  REQUIRE(machine.server.start());
  machine.print(lines(50));
  machine.settle(100'000);
  CHECK(device.sent == with_returns(lines(50)));
  machine.ask(3, 10);
  CHECK(machine.answers.empty());
  machine.type("late");
  machine.settle();
  CHECK(machine.answers.starts_with("3:0:"));
}

TEST_CASE("a line that never moves loses text after seconds, and sends again when it moves") {
  Machine machine;
  REQUIRE(machine.server.start());
  device.line_moves = false;
  machine.print(lines(1000));
  machine.settle(100'000);
  CHECK(machine.time > 5'000'000'000);
  CHECK(machine.time < 15'000'000'000);
  CHECK(Kernel::read == Kernel::log.size());
  CHECK(device.accesses < 10'000);
  device.line_moves = true;
  device.drain();
  machine.print("first ");
  machine.settle();
  machine.print("again");
  machine.settle();
  CHECK(device.sent.ends_with("again"));
}

TEST_CASE("a UART that never rests does not keep the driver from its callers") {
  Machine machine;
  REQUIRE(machine.server.start());
  device.babbles = true;
  machine.settle(50);
  machine.server.requested(4, service::terminal_read, 10, service::terminal_read_now);
  machine.settle(1);
  CHECK(machine.answers == "4:1:;");
}

TEST_CASE("input is handed out in order, to the reader that has waited longest first") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.type("early");
  machine.ask(1, 100);
  CHECK(machine.answers == "1:0:early;");
  machine.ask(2, 3);
  machine.ask(3, 100);
  CHECK(machine.answers == "1:0:early;");
  machine.type("abcdef");
  machine.settle();
  CHECK(machine.answers == "1:0:early;2:0:abc;3:0:def;");
}

TEST_CASE("a read that must not wait never does, and takes nothing from waiting readers") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.ask(1, 10, service::terminal_read_now);
  CHECK(machine.answers == "1:1:;");
  machine.type("xy");
  machine.ask(1, 10, service::terminal_read_now);
  CHECK(machine.answers == "1:1:;1:0:xy;");
  machine.ask(1, 10, 0, 99);
  CHECK(machine.answers.ends_with("1:2:;"));
}

TEST_CASE("a reader that is gone leaves its input to the next") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.refuses = 1;
  machine.ask(1, 100);
  machine.ask(2, 100);
  machine.type("kept");
  machine.settle();
  CHECK(machine.answers == "2:0:kept;");
}

TEST_CASE("with input closed each read finds the end, and what is typed is thrown away") {
  Machine machine{Server::Input::Closed};
  REQUIRE(machine.server.start());
  machine.type("unheard");
  machine.ask(1, 100);
  machine.ask(1, 100, service::terminal_read_now);
  CHECK(machine.answers == "1:0:;1:0:;");
  CHECK(device.arrived.empty());
  machine.ask(1, 100);
  CHECK(Kernel::lost == 0);
}

TEST_CASE("unread input is kept up to a limit, and the loss is reported") {
  Machine machine;
  REQUIRE(machine.server.start());
  for (int i = 0; i < 50; ++i) {
    machine.type(std::string(100, 'a'));
    machine.settle();
  }
  CHECK(Kernel::lost == 0);
  machine.ask(1, 1000);
  CHECK(Kernel::lost == 5000 - drivers::InputRing::capacity);
}

TEST_CASE("noise on the line and overruns are counted and not handed on") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.type("a");
  device.arrived.emplace_back('?', true);
  machine.type("b");
  machine.settle();
  device.overrun = true;
  machine.settle();
  machine.ask(1, 10);
  CHECK(machine.answers == "1:0:ab;");
  CHECK(Kernel::lost == 2);
}

TEST_CASE("a driver at rest sets no alarm") {
  Machine machine;
  REQUIRE(machine.server.start());
  machine.print("text");
  machine.type("input");
  machine.ask(1, 10);
  machine.settle();
  CHECK(Kernel::alarm_in == -1);
}
