// A PCI bus by configuration mechanism 1 (PCI Local Bus Specification 3.0 §3.2.2.3.2): ports CF8h
// to CFFh, bus 0, function 0 of each device. A bus without devices reads as ones, as if there were
// none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "user/monitor/port_device.hpp"

namespace monitor {

// A function's configuration space: its bytes, and which of their bits can be written.
class PciFunction {
public:
  static constexpr std::size_t space = 256;

  // Identification, class, and header type 0. `kind` is class, subclass, interface and revision.
  PciFunction(std::uint32_t identification, std::uint32_t kind);

  [[nodiscard]] std::uint32_t read(unsigned offset, unsigned bytes) const;
  void write(unsigned offset, unsigned bytes, std::uint32_t value);
  void set(unsigned offset, unsigned bytes, std::uint32_t value);
  void make_writable(unsigned offset, unsigned bytes, std::uint32_t bits);

private:
  std::array<std::uint8_t, space> bytes_{};
  std::array<std::uint8_t, space> writable_{};
};

class PciBus final : public PortDevice {
public:
  static constexpr std::uint16_t address_port = 0xcf8, data_port = 0xcfc, last_port = 0xcff;
  static constexpr unsigned devices = 32;

  void add(unsigned device, PciFunction& function);

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  [[nodiscard]] PciFunction* selected() const;

  std::array<PciFunction*, devices> functions_{};
  bool is_empty_ = true;
  std::uint32_t address_ = 0;
};

}  // namespace monitor
