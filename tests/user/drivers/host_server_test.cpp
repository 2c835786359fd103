#include "user/drivers/host_server.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace {

using drivers::ChannelWord;
using drivers::FrameHeader;
using drivers::FrameKind;

constexpr std::uint64_t output_offset = 4096, output_bytes = 80'000;
constexpr std::uint64_t input_offset = 100'000, input_bytes = 70'000 / 8 * 8 + 8;
constexpr std::uint64_t wanted_offset = 200'003;  // at no word's start

// The channel's memory with a host at its other end, which may be slow.
struct Host {
  std::vector<unsigned char> memory = std::vector<unsigned char>(drivers::channel_bytes);
  bool takes = true;       // takes out what there is whenever the driver sleeps
  std::string last_words;  // typed, with the end behind them, as soon as the driver looks
  std::string taken;
  std::uint64_t slept = 0;
  std::vector<std::uint64_t> alarms;

  Host() {
    word(ChannelWord::Magic) = drivers::channel_magic;
    word(ChannelWord::OutputOffset) = output_offset;
    word(ChannelWord::OutputBytes) = output_bytes;
    word(ChannelWord::InputOffset) = input_offset;
    word(ChannelWord::InputBytes) = input_bytes;
    word(ChannelWord::WantedOffset) = wanted_offset;
  }
  std::uint64_t& word(ChannelWord w) {
    return reinterpret_cast<std::uint64_t*>(memory.data())[static_cast<unsigned>(w)];
  }
  void take() {
    for (std::uint64_t& read = word(ChannelWord::OutputRead);
         read != word(ChannelWord::OutputWritten); ++read) {
      taken.push_back(static_cast<char>(memory[output_offset + read % output_bytes]));
    }
  }
  void type(const std::string& text) {
    for (const char c : text) {
      std::uint64_t& written = word(ChannelWord::InputWritten);
      memory[input_offset + written % input_bytes] = static_cast<unsigned char>(c);
      ++written;
    }
  }
};
Host host;

struct Memory {
  static std::uint64_t read(ChannelWord word) {
    const std::uint64_t value = host.word(word);
    const bool looks = word == ChannelWord::InputWritten || word == ChannelWord::InputEnded;
    if (looks && !host.last_words.empty()) {
      host.type(host.last_words);
      host.last_words.clear();
      host.word(ChannelWord::InputEnded) = 1;
    }
    return value;
  }
  static void write(ChannelWord word, std::uint64_t value) { host.word(word) = value; }
  static void store(std::uint64_t offset, std::span<const std::byte> bytes) {
    REQUIRE(offset >= output_offset);
    REQUIRE(offset + bytes.size() <= output_offset + output_bytes);
    __builtin_memcpy(host.memory.data() + offset, bytes.data(), bytes.size());
  }
  static void load(std::uint64_t offset, std::span<std::uint64_t> words) {
    REQUIRE(offset % 8 == 0);
    __builtin_memcpy(words.data(), host.memory.data() + offset, words.size_bytes());
  }
};

struct Kernel {
  static void sleep(std::uint64_t time) {
    host.slept += time;
    REQUIRE(host.takes);
    host.take();
  }
  static void alarm(std::uint64_t from_now) { host.alarms.push_back(from_now); }
};

struct Driver {
  drivers::HostServer<Memory, Kernel> server;
  using Answer = drivers::HostServer<Memory, Kernel>::Answer;

  Driver() { started = server.start(); }
  void send(const std::string& bytes, FrameKind kind = FrameKind::Output,
            std::uint64_t detail = 0) {
    __builtin_memcpy(server.buffer().data(), bytes.data(), bytes.size());
    server.requested(7, service::host_sends(static_cast<std::uint64_t>(kind), detail), 11, 12,
                     bytes.size());
  }
  Answer ask(std::uint64_t operation, std::uint64_t first, std::uint64_t second = 0) {
    server.requested(7, operation, first, second, 0);
    return server.answer();
  }
  std::string read(std::uint64_t most) {
    const Answer answer = ask(service::host_read, most);
    CHECK(answer.to == 7);
    return text_of(answer);
  }
  std::string text_of(const Answer& answer) { return {server.buffer().data(), answer.bytes}; }
  bool started = false;
};

FrameHeader header_of(const std::string& frame) {
  FrameHeader header;
  REQUIRE(frame.size() >= sizeof header);
  __builtin_memcpy(&header, frame.data(), sizeof header);
  return header;
}

std::string pattern(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(i * 7 + i / 256));
  return text;
}

}  // namespace

TEST_CASE("a message becomes one frame, with its sender and its words") {
  host = {};
  Driver driver;
  driver.send("text\n", FrameKind::Errors, 0644);
  CHECK(driver.server.answer().status == service::Ok);
  host.take();
  const FrameHeader header = header_of(host.taken);
  CHECK(header.kind == static_cast<std::uint32_t>(FrameKind::Errors));
  CHECK(header.process == 7);
  CHECK(header.detail == 0644);
  CHECK(header.words[0] == 11);
  CHECK(header.words[1] == 12);
  CHECK(host.taken.substr(sizeof header) == "text\n");
}

TEST_CASE("frames go around the end of the ring, and wait for a slow host") {
  host = {};
  Driver driver;
  std::string expected;
  for (const std::size_t bytes : {50'000u, 20'000u, 65'536u, 1u, 65'536u}) {
    driver.send(pattern(bytes));
    expected += pattern(bytes);
    CHECK(driver.server.answer().to == 7);
  }
  CHECK(host.slept > 0);
  host.take();
  std::string content;
  for (std::size_t at = 0; at < host.taken.size();) {
    const FrameHeader header = header_of(host.taken.substr(at));
    content += host.taken.substr(at + sizeof header, header.bytes);
    at += sizeof header + header.bytes;
  }
  CHECK(content == expected);
}

TEST_CASE("input comes in the pieces that are asked for, around the end of the ring") {
  host = {};
  Driver driver;
  std::string got, typed;
  for (int round = 0; round < 5; ++round) {
    const std::string text = pattern(30'001);
    host.type(text);
    typed += text;
    for (std::size_t most = 1; got.size() < typed.size(); most = most * 3 % 9'000 + 1) {
      const std::string piece = driver.read(most);
      REQUIRE(!piece.empty());
      got += piece;
    }
  }
  CHECK(got == typed);
  CHECK(host.word(ChannelWord::InputRead) == typed.size());
}

TEST_CASE("a reader waits for input, and is answered when some has come") {
  host = {};
  Driver driver;
  CHECK(driver.ask(service::host_read, 100).to == 0);
  CHECK(host.alarms.size() == 1);
  CHECK(driver.server.answer().to == 0);
  CHECK(host.alarms.size() == 1);  // one is set already
  driver.server.notified(REPRISE_NOTE_ALARM);
  CHECK(driver.server.answer().to == 0);
  CHECK(host.alarms.size() == 2);
  host.type("late");
  driver.server.notified(REPRISE_NOTE_ALARM);
  const Driver::Answer answer = driver.server.answer();
  CHECK(answer.to == 7);
  CHECK(driver.text_of(answer) == "late");
  CHECK(driver.server.answer().to == 0);
}

TEST_CASE("who must not wait for input is told that there is none yet") {
  host = {};
  Driver driver;
  CHECK(driver.ask(service::host_read, 100, service::host_read_now).status == service::WouldBlock);
  host.type("abc");
  const Driver::Answer answer = driver.ask(service::host_read, 0, service::host_read_now);
  CHECK(answer.status == service::Ok);
  CHECK(answer.word == 3);
  CHECK(answer.bytes == 0);
  CHECK(driver.read(2) == "ab");
}

TEST_CASE("behind the last byte input is at its end") {
  host = {};
  Driver driver;
  host.type("end");
  host.word(ChannelWord::InputEnded) = 1;
  CHECK(driver.read(100) == "end");
  const Driver::Answer answer = driver.ask(service::host_read, 100);
  CHECK(answer.to == 7);
  CHECK(answer.status == service::Ok);
  CHECK(answer.bytes == 0);
}

TEST_CASE("input that ends while the driver looks for it loses nothing") {
  host = {};
  Driver driver;
  host.last_words = "end";
  CHECK(driver.read(100) == "end");
  CHECK(driver.read(100).empty());
}

TEST_CASE("the list of wanted files is told in parts") {
  host = {};
  const std::string list{"one\0/two\0", 9};
  __builtin_memcpy(host.memory.data() + wanted_offset, list.data(), list.size());
  host.word(ChannelWord::WantedBytes) = list.size();
  Driver driver;
  CHECK(driver.text_of(driver.ask(service::host_wanted, 0)) == list);
  CHECK(driver.text_of(driver.ask(service::host_wanted, 4)) == list.substr(4));
  CHECK(driver.ask(service::host_wanted, 9).bytes == 0);
  CHECK(driver.ask(service::host_wanted, ~0ull).bytes == 0);
}

TEST_CASE("memory that is no channel is left alone, and every request is refused") {
  for (const ChannelWord word :
       {ChannelWord::Magic, ChannelWord::OutputOffset, ChannelWord::OutputBytes,
        ChannelWord::InputOffset, ChannelWord::InputBytes, ChannelWord::WantedOffset}) {
    for (const std::uint64_t bad : {~std::uint64_t{0}, drivers::channel_bytes + 8}) {
      host = {};
      host.word(word) = bad;
      Driver driver;
      CHECK_FALSE(driver.started);
      driver.send("text");
      CHECK(driver.server.answer().status == service::Unknown);
      CHECK(host.word(ChannelWord::OutputWritten) == 0);
      CHECK(driver.ask(service::host_read, 1).status == service::Unknown);
    }
  }
}

TEST_CASE("a ring that no whole frame fits into is none") {
  constexpr std::uint64_t frame = sizeof(FrameHeader) + REPRISE_MESSAGE_BYTES;
  for (const ChannelWord word : {ChannelWord::OutputBytes, ChannelWord::InputBytes}) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, frame, frame + 8}) {
      host = {};
      host.word(word) = bytes;
      CHECK(Driver{}.started == (bytes > frame));
    }
  }
}

TEST_CASE("an unknown operation of the channel is refused") {
  host = {};
  Driver driver;
  CHECK(driver.ask(99, 0).status == service::Unknown);
}
