#include "kernel/log/log.hpp"

#include <memory>
#include <string>

#include "arch/serial.hpp"
#include "kernel/log/message.hpp"
#include "tests/catch.hpp"

using namespace reprise;

namespace {

std::string emergency;  // what went out by the emergency serial line

}  // namespace

void arch::write_emergency(std::string_view text) { emergency += text; }

namespace {

constexpr std::uint64_t serial_driver = 3, screen_driver = 4;
constexpr std::size_t serial_line = 0, screen = 1;
constexpr std::size_t ring = 64 << 10;

// A log as at power on, and what its readers see of it.
class LogAtWork {
public:
  LogAtWork() : log_{std::make_unique<Log>()} { emergency.clear(); }

  Log* operator->() { return log_.get(); }
  Log& operator*() { return *log_; }

  std::string read(std::uint64_t reader, std::size_t output, std::size_t most = ring) {
    const auto text = log_->read(reader, output, most);
    return {text.data(), text.size()};
  }
  // All there is, piece by piece; the last read finds nothing.
  std::string read_all(std::uint64_t reader, std::size_t output, std::size_t most = ring) {
    std::string all;
    for (std::string piece = read(reader, output, most); !piece.empty();
         piece = read(reader, output, most)) {
      all += piece;
    }
    return all;
  }

private:
  std::unique_ptr<Log> log_;
};

// Text in which every place looks different from its neighbours.
std::string numbered(std::size_t bytes, std::size_t first = 0) {
  std::string text;
  for (std::size_t line = first; text.size() < bytes; ++line) text += std::to_string(line) + '\n';
  return text.substr(0, bytes);
}

}  // namespace

TEST_CASE("without a reader text goes out by the emergency serial line at once") {
  LogAtWork log;
  log->write("one");
  CHECK(emergency == "one");
  log->write("two\n");
  CHECK(emergency == "onetwo\n");
  CHECK_FALSE(log->crowded());
  CHECK(log->all_sent());
  CHECK_FALSE(log->take_reader_to_tell());
}

TEST_CASE("text of more than a ring goes out by the emergency serial line whole and in order") {
  LogAtWork log;
  const std::string text = numbered(3 * ring + 77);
  for (std::size_t at = 0; at < text.size(); at += 1000) log->write(text.substr(at, 1000));
  CHECK(emergency == text);
}

TEST_CASE("a reader gets what comes after its first read, and the emergency line gets no more") {
  LogAtWork log;
  log->write("before\n");
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("after\n");
  CHECK(emergency == "before\n");
  CHECK(log.read(serial_driver, serial_line) == "after\n");
}

TEST_CASE("a reader gets at most what it asked for, and then the rest") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("abcdefgh");
  CHECK(log.read(serial_driver, serial_line, 3) == "abc");
  CHECK(log.read(serial_driver, serial_line, 3) == "def");
  CHECK(log.read(serial_driver, serial_line, 3) == "gh");
  CHECK(log.read(serial_driver, serial_line, 3).empty());
}

TEST_CASE("a read stops where the ring ends, and the next one goes on at its start") {
  LogAtWork log;
  const std::string first = numbered(ring - 10);
  log->write(first);
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("0123456789abcdef");
  CHECK(log.read(serial_driver, serial_line) == "0123456789");
  CHECK(log.read(serial_driver, serial_line) == "abcdef");
}

TEST_CASE("text counts as sent when its reader comes for more, not when it was taken") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  CHECK(log->all_sent());
  log->write("text\n");
  CHECK_FALSE(log->all_sent());
  CHECK(log.read(serial_driver, serial_line) == "text\n");
  CHECK_FALSE(log->all_sent());
  CHECK(log.read(serial_driver, serial_line).empty());
  CHECK(log->all_sent());
}

TEST_CASE("all is sent only when each output that has a reader has sent it") {
  LogAtWork log;
  CHECK(log.read_all(serial_driver, serial_line).empty());
  CHECK(log.read_all(screen_driver, screen).empty());
  log->write("text\n");
  CHECK(log.read_all(serial_driver, serial_line) == "text\n");
  CHECK_FALSE(log->all_sent());
  CHECK(log.read_all(screen_driver, screen) == "text\n");
  CHECK(log->all_sent());
}

TEST_CASE("outputs take the same text, each at its own pace") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("abc");
  CHECK(log.read(screen_driver, screen, 1) == "a");
  CHECK(log.read(serial_driver, serial_line) == "abc");
  CHECK(log.read(screen_driver, screen) == "bc");
}

TEST_CASE("a screen that comes late gets the text since the start") {
  LogAtWork log;
  log->write("early\n");
  CHECK(log.read(screen_driver, screen) == "early\n");
  CHECK(emergency == "early\n");  // nobody reads for the serial line
}

TEST_CASE("the log is crowded from the byte on that fills more than half of its ring") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write(numbered(ring / 2));
  CHECK_FALSE(log->crowded());
  log->write("x");
  CHECK(log->crowded());
  // What was taken is in the ring until it is out.
  CHECK(log.read(serial_driver, serial_line, 1000).size() == 1000);
  CHECK(log->crowded());
  CHECK(log.read(serial_driver, serial_line, 1).size() == 1);
  CHECK_FALSE(log->crowded());
}

TEST_CASE("a screen that is behind does not make the log crowded") {
  LogAtWork log;
  CHECK(log.read(screen_driver, screen).empty());
  log->write(numbered(ring - 1));
  CHECK_FALSE(log->crowded());
}

TEST_CASE("a full ring sends the serial line's oldest text by the emergency line, and loses none") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  const std::string text = numbered(ring + 1);
  log->write(text.substr(0, ring));
  CHECK(emergency.empty());
  log->write(text.substr(ring));
  CHECK_FALSE(emergency.empty());
  const std::size_t sent = emergency.size();
  CHECK(sent < 1024);  // a piece, and the driver goes on with the rest
  CHECK(emergency == text.substr(0, sent));
  CHECK(log.read_all(serial_driver, serial_line, 5000) == text.substr(sent));
}

TEST_CASE("a screen that is too far behind misses the oldest text and gets all the rest") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  CHECK(log.read(screen_driver, screen).empty());
  const std::string text = numbered(ring + 1000);
  for (std::size_t at = 0; at < text.size(); at += 500) {
    log->write(text.substr(at, 500));
    CHECK(log.read_all(serial_driver, serial_line) == text.substr(at, 500));
  }
  const std::string seen = log.read_all(screen_driver, screen, 5000);
  CHECK(seen.size() <= ring);
  CHECK(seen.size() >= ring - 1024);
  CHECK(seen == text.substr(text.size() - seen.size()));
  CHECK(emergency.empty());
}

TEST_CASE("text that a lost reader had taken but not sent goes out again, and then the rest") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("out taken waiting\n");
  CHECK(log.read(serial_driver, serial_line, 4) == "out ");
  CHECK(log.read(serial_driver, serial_line, 6) == "taken ");
  log->lose_reader(serial_driver);
  CHECK(emergency == "taken waiting\n");
  log->write("later\n");
  CHECK(emergency == "taken waiting\nlater\n");
  CHECK(log->all_sent());
}

TEST_CASE("the end of a process that reads nothing changes nothing") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->lose_reader(screen_driver);
  log->write("text\n");
  CHECK(emergency.empty());
  CHECK(log->reads(serial_driver));
}

TEST_CASE("a screen's lost reader leaves the serial line its own, and all is sent without it") {
  LogAtWork log;
  CHECK(log.read_all(serial_driver, serial_line).empty());
  CHECK(log.read_all(screen_driver, screen).empty());
  log->write("text\n");
  CHECK(log.read_all(serial_driver, serial_line) == "text\n");
  log->lose_reader(screen_driver);
  CHECK_FALSE(log->reads(screen_driver));
  CHECK(log->reads(serial_driver));
  CHECK(log->all_sent());
  CHECK(emergency.empty());
}

TEST_CASE("a new reader goes on where the old one's text went out") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("old\n");
  log->lose_reader(serial_driver);
  CHECK(log.read(serial_driver + 5, serial_line).empty());
  log->write("new\n");
  CHECK(log.read(serial_driver + 5, serial_line) == "new\n");
  CHECK(emergency == "old\n");
}

TEST_CASE("a quiet log keeps its text from the emergency line, and the screen gets it") {
  LogAtWork log;
  log->set_quiet(true);
  const std::string text = numbered(2000);
  log->write(text);
  CHECK(emergency.empty());
  CHECK(log->all_sent());
  CHECK_FALSE(log->crowded());
  CHECK(log.read(screen_driver, screen) == text);
}

TEST_CASE("the last text of the machine goes out by the emergency line, quiet or not") {
  LogAtWork log;
  log->set_quiet(true);
  CHECK(log.read(serial_driver, serial_line).empty());
  CHECK(log.read(screen_driver, screen).empty());
  log->write("waiting\n");
  log->lose_all_readers();
  CHECK(emergency == "waiting\n");
  log->write("last\n");
  CHECK(emergency == "waiting\nlast\n");
  CHECK_FALSE(log->reads(serial_driver));
  CHECK_FALSE(log->reads(screen_driver));
}

TEST_CASE("each reader is told of new text once, until it reads") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  CHECK(log.read(screen_driver, screen).empty());
  CHECK_FALSE(log->take_reader_to_tell());
  log->write("one");
  CHECK(log->take_reader_to_tell() == serial_driver);
  CHECK(log->take_reader_to_tell() == screen_driver);
  CHECK_FALSE(log->take_reader_to_tell());
  log->write("two");
  CHECK_FALSE(log->take_reader_to_tell());
  CHECK(log.read(screen_driver, screen) == "onetwo");
  CHECK_FALSE(log->take_reader_to_tell());  // nothing new for it
  log->write("three");
  CHECK(log->take_reader_to_tell() == screen_driver);
  CHECK_FALSE(log->take_reader_to_tell());
}

TEST_CASE("a reader that left text behind is told of it again") {
  LogAtWork log;
  CHECK(log.read(serial_driver, serial_line).empty());
  log->write("text");
  CHECK(log->take_reader_to_tell() == serial_driver);
  CHECK(log.read(serial_driver, serial_line, 2) == "te");
  CHECK(log->take_reader_to_tell() == serial_driver);
}

TEST_CASE("a line of the kernel's begins at the left margin, whatever a program has left there") {
  LogAtWork log;
  log->write("prompt> ");
  log_message(*log, "ended with status ", 3u);
  CHECK(emergency == "prompt> \n[reprise] ended with status 3\n");
  log_event(*log, "at=", Hex{0xbeef});
  CHECK(emergency == "prompt> \n[reprise] ended with status 3\nreprise: at=0xbeef\n");
}

TEST_CASE("no empty line comes between whole lines") {
  LogAtWork log;
  log_message(*log, "one");
  log->write("two\n");
  log_message(*log, "three");
  log->go_to_margin();
  log->go_to_margin();
  CHECK(emergency == "[reprise] one\ntwo\n[reprise] three\n");
}

TEST_CASE("text without a character leaves an unfinished line unfinished") {
  LogAtWork log;
  log->write("half");
  log->write("");
  log_message(*log, "whole");
  CHECK(emergency == "half\n[reprise] whole\n");
}

TEST_CASE("a message that is too long for its line is cut, and the line ends") {
  LogAtWork log;
  log_message(*log, std::string_view{std::string(2000, 'x')});
  CHECK(emergency.size() > 500);
  CHECK(emergency.size() < 600);
  CHECK(emergency.substr(0, 11) == "[reprise] x");
  CHECK(emergency.back() == '\n');
}
