#include "user/monitor/string_io.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::Computer;
using monitor::StringIo;

struct Sent final : monitor::ByteSink {
  std::string text;
  void put(char byte) override { text += byte; }
};
struct Names final : monitor::UnknownPorts {
  void name(std::uint16_t, bool) override {}
};

constexpr std::uint64_t code = 0x7000, data = 0x8000;
constexpr std::uint16_t flat_32 = 0xc9b, flat_64 = 0xa9b, flat_16 = 0x9b;

// A guest in 32-bit mode without paging whose next instruction is at `code`.
struct Guest {
  test::FakeMemory memory{0x10000};
  Sent sent;
  Names names;
  Computer computer{{.wall_seconds = 0, .memory_bytes = 1 << 20}, sent, names};
  reprise_guest_state state{};
  reprise_guest_run run{};
  std::uint64_t absent = 0;

  explicit Guest(const std::string& instruction) {
    state.cs.attributes = flat_32;
    state.rip = code;
    state.next_rip = code + instruction.size();
    REQUIRE(memory.write(code, instruction.data(), instruction.size()));
    run.bytes = 1;
    run.string = 1;
  }
  void out(std::uint16_t port) {
    run.address = port;
    run.write = 1;
  }
  StringIo::Outcome carry_out() {
    StringIo io{state, memory, computer};
    const auto outcome = io.carry_out(run);
    absent = io.absent_address();
    return outcome;
  }
};

void put(Guest& guest, std::uint64_t address, const std::string& text) {
  REQUIRE(guest.memory.write(address, text.data(), text.size()));
}

}  // namespace

TEST_CASE("OUTSB writes one byte and goes on behind the instruction") {
  Guest guest{"\x6e"};
  put(guest, data, "ab");
  guest.out(0x3f8);
  guest.state.rsi = data;
  guest.state.rcx = 5;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "a");
  CHECK(guest.state.rsi == data + 1);
  CHECK(guest.state.rcx == 5);
  CHECK(guest.state.rip == code + 1);
}

TEST_CASE("REP OUTSB writes all, downwards with DF, and nothing when the count is 0") {
  Guest guest{"\xf3\x6e"};
  put(guest, data, "hello");
  guest.out(0x3f8);
  guest.run.string = 3;
  guest.state.rsi = data;
  guest.state.rcx = 5;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "hello");
  CHECK(guest.state.rcx == 0);
  CHECK(guest.state.rsi == data + 5);
  CHECK(guest.state.rip == code + 2);
  guest.state.rsi = data + 4;
  guest.state.rcx = 5;
  guest.state.rflags = 0x400;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "helloolleh");
  CHECK(guest.state.rsi == data - 1);
  guest.state.rip = code;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text.size() == 10);
  CHECK(guest.state.rip == code + 2);
}

TEST_CASE("a long REP is carried out in parts, and begun again in between") {
  Guest guest{"\xf3\x6e"};
  guest.out(0x80);
  guest.run.string = 3;
  guest.state.rsi = data;
  guest.state.rcx = StringIo::most_elements + 10;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.state.rcx == 10);
  CHECK(guest.state.rip == code);
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.state.rcx == 0);
  CHECK(guest.state.rip == code + 2);
}

TEST_CASE("INS stores what the port gives, in its width") {
  Guest guest{"\xf3\x6d"};
  guest.run.address = 0x300;  // ones
  guest.run.bytes = 4;
  guest.run.string = 3;
  guest.state.rdi = data;
  guest.state.rcx = 2;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.memory.at<std::uint64_t>(data) == ~0ul);
  CHECK(guest.memory.at<std::uint64_t>(data + 8) == 0);
  CHECK(guest.state.rdi == data + 8);
}

TEST_CASE("INS goes to ES, OUTS comes from DS or from the segment of its prefix") {
  Guest guest{"\x64\x6e"};
  put(guest, data + 0x10, "F");
  put(guest, data + 0x20, "D");
  guest.out(0x3f8);
  guest.state.fs.base = data + 0x10;
  guest.state.ds.base = data + 0x20;
  guest.state.es.base = data + 0x30;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  guest.state.rip = code + 1;  // without the prefix
  guest.state.rsi = 0;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "FD");
  put(guest, code, "\x6c");
  guest.run = {};
  guest.run.address = 0x300;
  guest.run.bytes = 1;
  guest.run.string = 1;
  guest.state.rip = code;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.memory.at<std::uint8_t>(data + 0x30) == 0xff);
}

TEST_CASE("16-bit code uses 16 bits of the registers, and 67h changes that") {
  Guest guest{"\xf3\x6e"};
  guest.state.cs.attributes = flat_16;
  guest.out(0x3f8);
  guest.run.string = 3;
  put(guest, 0xffff, "x");
  put(guest, 0, "y");
  guest.state.rsi = 0xabcdffff;
  guest.state.rcx = 0x12340002;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "xy");
  CHECK(guest.state.rsi == 0xabcd0001);
  CHECK(guest.state.rcx == 0x12340000);
  Guest wide{"\x67\x6e"};
  wide.state.cs.attributes = flat_16;
  put(wide, data, "z");
  wide.out(0x3f8);
  wide.state.rsi = 0xabcd0000'00000000 | data;
  REQUIRE(wide.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(wide.sent.text == "z");
  CHECK(wide.state.rsi == data + 1);
}

TEST_CASE("64-bit code has flat DS and ES, and 64-bit registers") {
  Guest guest{"\x6e"};
  guest.state.cs.attributes = flat_64;
  guest.state.efer = 0x500;
  guest.state.ds.base = 0x5555;
  put(guest, data, "q");
  guest.out(0x3f8);
  guest.state.rsi = data;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.sent.text == "q");
}

TEST_CASE("a page fault is the guest's, and the port is not read before") {
  Guest guest{"\x6c"};
  guest.state.cr0 = 1ul << 31 | 1;
  guest.state.cr3 = 0x1000;
  // The code is mapped, the data are not.
  guest.memory.set<std::uint32_t>(0x1000, 0x2000 | 7);
  guest.memory.set<std::uint32_t>(0x2000 + 4 * 7, 0x7000 | 7);
  guest.run.address = 0x3f8;
  guest.computer.console().receive('k');
  guest.state.rdi = data + 5;
  REQUIRE(guest.carry_out() == StringIo::Outcome::GoesOn);
  CHECK(guest.state.cr2 == data + 5);
  CHECK(guest.state.event == (REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 14 | 2ul << 32));
  CHECK(guest.state.rip == code);
  CHECK(guest.computer.console().room() == 0);  // the byte is still there
}

TEST_CASE("memory that is not there is told with its address") {
  Guest guest{"\x6c"};
  guest.run.address = 0x300;
  guest.state.rdi = 0x20000;
  CHECK(guest.carry_out() == StringIo::Outcome::NoMemory);
  CHECK(guest.absent == 0x20000);
}
