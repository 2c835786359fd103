#include "user/monitor/port_bus.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace {

using monitor::PortAccess;
using monitor::PortBus;

struct Seen {
  std::uint16_t port;
  unsigned bytes;
  std::uint32_t value;
  bool operator==(const Seen&) const = default;
};

struct Device final : monitor::PortDevice {
  std::vector<Seen> reads, writes;
  std::uint32_t read(const PortAccess& access) override {
    reads.push_back({access.port, access.bytes, 0});
    return access.port & 0xffu;
  }
  void write(const PortAccess& access, std::uint32_t value) override {
    writes.push_back({access.port, access.bytes, value});
  }
};

struct Names final : monitor::UnknownPorts {
  std::vector<std::uint16_t> ports;
  void name(std::uint16_t port, bool) override { ports.push_back(port); }
};

}  // namespace

TEST_CASE("an access reaches the device of its range, ends included") {
  Names names;
  PortBus bus{names};
  Device device;
  REQUIRE(bus.add(0x40, 0x43, device));
  CHECK(bus.read({.port = 0x40}) == 0x40);
  CHECK(bus.read({.port = 0x43}) == 0x43);
  bus.write({.port = 0x43}, 7);
  CHECK(device.writes == std::vector<Seen>{{0x43, 1, 7}});
  CHECK(names.ports.empty());
  CHECK(bus.read({.port = 0x44}) == ~0u);
  CHECK(bus.read({.port = 0x3f}) == ~0u);
  CHECK(names.ports == std::vector<std::uint16_t>{0x44, 0x3f});
}

TEST_CASE("a wider access to an ISA device is one for each byte, and neighbours answer theirs") {
  Names names;
  PortBus bus{names};
  Device left, right;
  REQUIRE(bus.add(0x20, 0x21, left));
  REQUIRE(bus.add(0x22, 0x22, right));
  CHECK(bus.read({.port = 0x21, .bytes = 2}) == 0x2221);
  CHECK(bus.read({.port = 0x21, .bytes = 4}) == 0xffff2221);
  CHECK(bus.read({.port = 0x20, .bytes = 2}) == 0x2120);
  CHECK(left.reads.back().bytes == 1);
  bus.write({.port = 0x20, .bytes = 4}, 0x44332211);
  CHECK(left.writes == std::vector<Seen>{{0x20, 1, 0x11}, {0x21, 1, 0x22}});
  CHECK(right.writes == std::vector<Seen>{{0x22, 1, 0x33}});
}

TEST_CASE("a wide device sees the access as it is") {
  Names names;
  PortBus bus{names};
  Device device;
  REQUIRE(bus.add(0xcf8, 0xcfb, device, monitor::PortWidth::Any));
  bus.write({.port = 0xcf8, .bytes = 4}, 0x80001234);
  bus.write({.port = 0xcf9, .bytes = 1}, 6);
  bus.write({.port = 0xcfb, .bytes = 2}, 0x1122);  // beyond its end: by bytes
  CHECK(device.writes ==
        std::vector<Seen>{{0xcf8, 4, 0x80001234}, {0xcf9, 1, 6}, {0xcfb, 1, 0x22}});
}

TEST_CASE("a port without a device is named once, eight ports at most, ignored ones never") {
  Names names;
  PortBus bus{names};
  REQUIRE(bus.ignore(0x80, 0x80));
  for (unsigned round = 0; round < 3; ++round) {
    bus.write({.port = 0x80}, 1);
    CHECK(bus.read({.port = 0x80, .bytes = 1}) == ~0u);
    for (std::uint16_t port = 0x300; port < 0x320; ++port) {
      CHECK(bus.read({.port = port, .bytes = 4}) == ~0u);
      bus.write({.port = port}, 1);
    }
  }
  const std::vector<std::uint16_t> first{0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x307};
  CHECK(names.ports == first);
}

TEST_CASE("the last port's neighbour is the first") {
  Names names;
  PortBus bus{names};
  Device device;
  REQUIRE(bus.add(0xffff, 0xffff, device));
  CHECK(bus.read({.port = 0xffff, .bytes = 4}) == 0xffffffff);
  CHECK(device.reads.size() == 1);
}

TEST_CASE("a full bus takes no more devices") {
  Names names;
  PortBus bus{names};
  Device device;
  for (std::uint16_t i = 0; i < PortBus::most_devices; ++i) REQUIRE(bus.add(i, i, device));
  CHECK_FALSE(bus.add(100, 100, device));
}
