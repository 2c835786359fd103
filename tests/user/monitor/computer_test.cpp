#include "user/monitor/computer.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::Computer;
using monitor::End;
using monitor::GuestTime;

struct Sent final : monitor::ByteSink {
  void put(char) override {}
};
struct Names final : monitor::UnknownPorts {
  unsigned count = 0;
  void name(std::uint16_t, bool) override { ++count; }
};

struct Pc {
  Sent sent;
  Names names;
  test::FakeMemory memory{0x10000};
  std::vector<std::byte> file = std::vector<std::byte>(4096), copies = file;
  std::vector<std::uint8_t> is_copied = std::vector<std::uint8_t>(1);
  monitor::DiskImage image{file, copies, is_copied};
  monitor::VirtioDisk disk{image, memory};
  Computer computer;

  explicit Pc(bool has_disk)
      : computer{{.wall_seconds = 0, .memory_bytes = 1 << 20},
                 sent,
                 names,
                 has_disk ? &disk : nullptr} {}
  std::uint32_t configuration(std::uint32_t address) {
    computer.write_port({.port = 0xcf8, .bytes = 4}, address);
    return computer.read_port({.port = 0xcfc, .bytes = 4});
  }
};

}  // namespace

TEST_CASE("without a disk there is no PCI bus, and nobody is told of a look for one") {
  Pc pc{false};
  CHECK(pc.configuration(0x8000'0000) == ~0u);
  CHECK(pc.computer.read_port({.port = 0xcf8, .bytes = 4}) == ~0u);
  CHECK(pc.names.count == 0);
}

TEST_CASE("with a disk there are a host bridge and the disk") {
  Pc pc{true};
  CHECK(pc.configuration(0x8000'0000) == 0x1237'8086);
  CHECK(pc.computer.read_port({.port = 0xcf8, .bytes = 4}) == 0x8000'0000);
  CHECK(pc.configuration(0x8000'2000) == 0x1001'1af4);
  CHECK(pc.configuration(0x8000'0800) == ~0u);  // no such device
  CHECK(pc.configuration(0x8001'0000) == ~0u);  // no such bus
  CHECK(pc.configuration(0x8000'0100) == ~0u);  // no such function
  CHECK(pc.configuration(0x0000'0000) == ~0u);  // not enabled
  // Its interrupt is level triggered from the start.
  CHECK(pc.computer.read_port({.port = 0x4d1}) == 8);
}

TEST_CASE("a PCI address that has the reset's bits does not reset") {
  for (const bool has_disk : {false, true}) {
    Pc pc{has_disk};
    pc.configuration(0x8000'0600);
    CHECK(pc.computer.ending().end == End::None);
    pc.computer.write_port({.port = 0xcf9}, 0x06);
    CHECK(pc.computer.ending().end == End::Reset);
  }
}

TEST_CASE("the next event is the timer's or the clock's, whichever is sooner") {
  Pc pc{false};
  CHECK(pc.computer.next_event(GuestTime{0}) == monitor::never);
  pc.computer.write_port({.port = 0x70}, 0x0b);
  pc.computer.write_port({.port = 0x71}, 0x12);  // the clock's interrupt each second
  CHECK(pc.computer.next_event(GuestTime{0}) == GuestTime{1'000'000'000});
  pc.computer.write_port({.port = 0x43}, 0x34);
  pc.computer.write_port({.port = 0x40}, 0x00);
  pc.computer.write_port({.port = 0x40}, 0x10);
  CHECK(pc.computer.next_event(GuestTime{10'000}) < GuestTime{4'000'000});
}
