// PCI configuration space, as far as init needs it: the memory that the host shares with the
// machine (user/drivers/host_channel.hpp). By the ports of configuration mechanism #1 (PCI Local
// Bus Specification 3.0 §3.2.2.3.2), which every PC has. The ports are a template argument, so that
// host tests can play the bus.
#pragma once

#include <cstdint>
#include <optional>

namespace reprise {

struct MemoryWindow {
  std::uint64_t address, bytes;  // physical
};

// Ports: write(port, 32 bits), read(port) -> 32 bits.
template <class Ports>
class Pci {
public:
  // The memory of the device's 64-bit base address register `bar`. Looks at function 0 of each
  // device on bus 0, where QEMU puts what its command line names. Nothing: there is no such device,
  // or the firmware has given it no address.
  [[nodiscard]] static std::optional<MemoryWindow> find(std::uint32_t vendor_and_device,
                                                        unsigned bar) {
    for (unsigned device = 0; device < devices; ++device) {
      if (read(device, identification) == vendor_and_device) return window(device, bar);
    }
    return std::nullopt;
  }

private:
  static constexpr std::uint16_t address_port = 0xcf8, data_port = 0xcfc;
  static constexpr unsigned devices = 32;
  static constexpr unsigned identification = 0, command = 4, first_bar = 0x10;
  static constexpr std::uint32_t memory_space = 2;  // in the command register
  static constexpr std::uint32_t kind_mask = 15, port_space = 1, is_64_bits = 4;  // in a BAR

  static std::optional<MemoryWindow> window(unsigned device, unsigned bar) {
    const unsigned low_register = first_bar + bar * 4, high_register = low_register + 4;
    const std::uint32_t low = read(device, low_register), high = read(device, high_register);
    if ((low & port_space) != 0 || (low & is_64_bits) == 0) return std::nullopt;
    const std::uint64_t address = std::uint64_t{high} << 32 | (low & ~kind_mask);
    if (address == 0) return std::nullopt;
    // The size: which bits can be written. Nobody uses the device yet.
    write(device, low_register, ~0u);
    write(device, high_register, ~0u);
    const std::uint32_t low_bits = read(device, low_register) & ~kind_mask;
    const std::uint64_t bits = std::uint64_t{read(device, high_register)} << 32 | low_bits;
    write(device, low_register, low);
    write(device, high_register, high);
    write(device, command, read(device, command) | memory_space);
    return MemoryWindow{.address = address, .bytes = ~bits + 1};
  }

  static void select(unsigned device, unsigned offset) {
    constexpr std::uint32_t enable = 1u << 31;
    Ports::write(address_port, enable | device << 11 | offset);
  }
  static std::uint32_t read(unsigned device, unsigned offset) {
    select(device, offset);
    return Ports::read(data_port);
  }
  static void write(unsigned device, unsigned offset, std::uint32_t value) {
    select(device, offset);
    Ports::write(data_port, value);
  }
};

}  // namespace reprise
