// Carries the guest's accesses to ports to the devices. An ISA device has eight wires of data: a
// wider access reaches it, and its neighbours, byte by byte. An access that no device answers reads
// as ones.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "user/monitor/port_device.hpp"

namespace monitor {

enum class PortWidth : std::uint8_t { Byte, Any };

// Hears of each port without a device once. No more than `most_named` are told.
class UnknownPorts {
public:
  virtual void name(std::uint16_t port, bool is_write) = 0;

protected:
  ~UnknownPorts() = default;
};

class PortBus {
public:
  static constexpr std::size_t most_devices = 24;
  static constexpr unsigned most_named = 8;

  explicit PortBus(UnknownPorts& unknown) : unknown_{unknown} {}

  // `first` and `last` are inclusive. False: there is no room for one more.
  bool add(std::uint16_t first, std::uint16_t last, PortDevice& device,
           PortWidth width = PortWidth::Byte);
  // Nobody is told of these, though no device is there: a PC's software probes them.
  bool ignore(std::uint16_t first, std::uint16_t last);

  [[nodiscard]] std::uint32_t read(const PortAccess& access);
  void write(const PortAccess& access, std::uint32_t value);

private:
  struct Range {
    std::uint16_t first = 0, last = 0;
    PortDevice* device = nullptr;  // nullptr: ignored
    PortWidth width = PortWidth::Byte;
  };

  bool add_range(const Range& range);
  [[nodiscard]] const Range* range_of(std::uint16_t port) const;
  [[nodiscard]] const Range* whole_range(const PortAccess& access) const;
  void name(std::uint16_t port, bool is_write);

  std::array<Range, most_devices> ranges_{};
  std::size_t used_ = 0;
  UnknownPorts& unknown_;
  std::bitset<0x10000> named_;
  unsigned named_count_ = 0;
};

}  // namespace monitor
