#include "user/init/pci.hpp"

#include <array>

#include "tests/catch.hpp"

namespace {

// Devices on bus 0, each with the registers that are looked at.
struct Device {
  std::uint32_t identification = ~0u, command = 0;
  std::uint64_t bar = 0, bytes = 0;
  std::uint32_t kind = 12;  // 64 bits, prefetchable

  std::uint32_t* half(unsigned offset) {
    return reinterpret_cast<std::uint32_t*>(&bar) + (offset == 0x1c ? 1 : 0);
  }
  std::uint32_t read(unsigned offset) {
    if (offset == 0) return identification;
    if (offset == 4) return command;
    if (offset == 0x18) return *half(offset) | kind;
    return offset == 0x1c ? *half(offset) : 0;
  }
  void write(unsigned offset, std::uint32_t value) {
    if (offset == 4) command = value;
    if (offset == 0x18 || offset == 0x1c) *half(offset) = value;
    bar &= ~(bytes - 1);  // the address bits within the window are fixed at 0
  }
};

struct Bus {
  std::array<Device, 32> devices{};
  std::uint32_t selected = 0;
};
Bus bus;

struct Ports {
  static void write(std::uint16_t port, std::uint32_t value) {
    if (port == 0xcf8) bus.selected = value;
    if (port == 0xcfc) bus.devices.at(bus.selected >> 11 & 31).write(bus.selected & 0xff, value);
  }
  static std::uint32_t read(std::uint16_t port) {
    REQUIRE(port == 0xcfc);
    REQUIRE(bus.selected >> 31 == 1);
    return bus.devices.at(bus.selected >> 11 & 31).read(bus.selected & 0xff);
  }
};
using Pci = reprise::Pci<Ports>;

constexpr std::uint32_t wanted = 0x1110'1af4;

Device& shared_memory(std::uint64_t address) {
  bus = {};
  bus.devices[1] = {.identification = 0x1234'5678, .bar = 0x1000'0000, .bytes = 1 << 16};
  bus.devices[31] = {.identification = wanted, .bar = address, .bytes = 16 << 20};
  return bus.devices[31];
}

}  // namespace

TEST_CASE("a device's memory is found with its size, and its address stays as it was") {
  for (const std::uint64_t address : {0xfd00'0000ull, 0x8'0000'0000ull, 0x38'0000'0000'0000ull}) {
    const Device& device = shared_memory(address);
    const auto found = Pci::find(wanted, 2);
    REQUIRE(found);
    CHECK(found->address == address);
    CHECK(found->bytes == 16 << 20);
    CHECK(device.bar == address);
    CHECK((device.command & 2) != 0);  // it answers to its address
  }
}

TEST_CASE("a device that is not there, has no address, or no such memory is not found") {
  shared_memory(0xfd00'0000);
  CHECK_FALSE(Pci::find(0x1111'1af4, 2));
  shared_memory(0);
  CHECK_FALSE(Pci::find(wanted, 2));
  shared_memory(0xfd00'0000).kind = 8;  // 32 bits: the next register is another one
  CHECK_FALSE(Pci::find(wanted, 2));
  shared_memory(0xfd00'0000).kind = 1;  // ports
  CHECK_FALSE(Pci::find(wanted, 2));
}
