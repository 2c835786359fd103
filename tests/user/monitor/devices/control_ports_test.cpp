#include "user/monitor/devices/control_ports.hpp"

#include "tests/catch.hpp"

namespace {

using monitor::ControlPorts;
using monitor::End;

End end_of(std::uint16_t port, std::uint32_t value) {
  ControlPorts ports;
  ports.write({.port = port}, value);
  return ports.ending().end;
}

}  // namespace

TEST_CASE("each of the ways to reset ends the guest") {
  CHECK(end_of(0x64, 0xfe) == End::Reset);
  CHECK(end_of(0x64, 0xd1) == End::None);
  CHECK(end_of(0x92, 0x03) == End::Reset);
  CHECK(end_of(0x92, 0x02) == End::None);
  CHECK(end_of(0xcf9, 0x06) == End::Reset);
  CHECK(end_of(0xcf9, 0x02) == End::None);
}

TEST_CASE("a byte at the test ports is the guest's status") {
  for (const std::uint16_t port : {0xf4, 0x501}) {
    ControlPorts ports;
    ports.write({.port = port}, 42);
    CHECK(ports.ending().end == End::Status);
    CHECK(ports.ending().status == 42);
  }
}

TEST_CASE("no keyboard controller answers, A20 is open, and CF9h keeps its type of reset") {
  ControlPorts ports;
  CHECK(ports.read({.port = 0x64}) == ~0u);
  CHECK(ports.read({.port = 0x60}) == ~0u);
  CHECK(ports.read({.port = 0x92}) == 2);
  ports.write({.port = 0xcf9}, 0x02);
  CHECK(ports.read({.port = 0xcf9}) == 2);
}
