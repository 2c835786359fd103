// See port_bus.hpp.
#include "user/monitor/port_bus.hpp"

namespace monitor {
namespace {

PortAccess byte_of(const PortAccess& access, unsigned index) {
  return {.port = static_cast<std::uint16_t>(access.port + index), .bytes = 1, .now = access.now};
}

}  // namespace

bool PortBus::add(std::uint16_t first, std::uint16_t last, PortDevice& device, PortWidth width) {
  return add_range({.first = first, .last = last, .device = &device, .width = width});
}

bool PortBus::ignore(std::uint16_t first, std::uint16_t last) {
  return add_range({.first = first, .last = last});
}

bool PortBus::add_range(const Range& range) {
  if (used_ == ranges_.size()) return false;
  ranges_[used_] = range;
  ++used_;
  return true;
}

const PortBus::Range* PortBus::range_of(std::uint16_t port) const {
  for (std::size_t i = 0; i < used_; ++i) {
    const Range& range = ranges_[i];
    if (range.first <= port && port <= range.last) return &range;
  }
  return nullptr;
}

// The device that takes the access as it is, if there is one.
const PortBus::Range* PortBus::whole_range(const PortAccess& access) const {
  const Range* const range = range_of(access.port);
  if (range == nullptr || range->device == nullptr) return nullptr;
  if (access.bytes == 1) return range;
  const bool fits = access.port + access.bytes - 1 <= range->last;
  return range->width == PortWidth::Any && fits ? range : nullptr;
}

void PortBus::name(std::uint16_t port, bool is_write) {
  if (range_of(port) != nullptr || named_.test(port)) return;
  named_.set(port);
  if (named_count_ == most_named) return;
  ++named_count_;
  unknown_.name(port, is_write);
}

std::uint32_t PortBus::read(const PortAccess& access) {
  if (const Range* const range = whole_range(access)) return range->device->read(access);
  if (access.bytes == 1 || range_of(access.port) == nullptr) {
    name(access.port, false);
    return ~0u;
  }
  std::uint32_t value = 0;
  for (unsigned i = 0; i < access.bytes; ++i) value |= (read(byte_of(access, i)) & 0xff) << (8 * i);
  return value;
}

void PortBus::write(const PortAccess& access, std::uint32_t value) {
  if (const Range* const range = whole_range(access)) return range->device->write(access, value);
  if (access.bytes == 1 || range_of(access.port) == nullptr) return name(access.port, true);
  for (unsigned i = 0; i < access.bytes; ++i) write(byte_of(access, i), value >> (8 * i) & 0xff);
}

}  // namespace monitor
