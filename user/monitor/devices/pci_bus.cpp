// See pci_bus.hpp.
#include "user/monitor/devices/pci_bus.hpp"

namespace monitor {
namespace {

constexpr std::uint32_t enabled = 1u << 31, address_bits = 0x80ff'fffc;
constexpr std::uint32_t bus_and_function = 0x00ff'0700;

}  // namespace

PciFunction::PciFunction(std::uint32_t identification, std::uint32_t kind) {
  set(0x00, 4, identification);
  set(0x08, 4, kind);
}

std::uint32_t PciFunction::read(unsigned offset, unsigned bytes) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes && offset + i < space; ++i)
    value |= std::uint32_t{bytes_[offset + i]} << (8 * i);
  return value;
}

void PciFunction::write(unsigned offset, unsigned bytes, std::uint32_t value) {
  for (unsigned i = 0; i < bytes && offset + i < space; ++i) {
    const std::uint8_t bits = writable_[offset + i];
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    bytes_[offset + i] = static_cast<std::uint8_t>((bytes_[offset + i] & ~bits) | (byte & bits));
  }
}

void PciFunction::set(unsigned offset, unsigned bytes, std::uint32_t value) {
  for (unsigned i = 0; i < bytes; ++i)
    bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void PciFunction::make_writable(unsigned offset, unsigned bytes, std::uint32_t bits) {
  for (unsigned i = 0; i < bytes; ++i)
    writable_[offset + i] = static_cast<std::uint8_t>(bits >> (8 * i));
}

void PciBus::add(unsigned device, PciFunction& function) {
  functions_[device % devices] = &function;
  is_empty_ = false;
}

PciFunction* PciBus::selected() const {
  const bool is_here = (address_ & enabled) != 0 && (address_ & bus_and_function) == 0;
  return is_here ? functions_[address_ >> 11 & (devices - 1)] : nullptr;
}

std::uint32_t PciBus::read(const PortAccess& access) {
  if (is_empty_) return ~0u;
  if (access.port < data_port)
    return access.port == address_port && access.bytes == 4 ? address_ : ~0u;
  const PciFunction* const function = selected();
  if (function == nullptr) return ~0u;
  return function->read((address_ & 0xfc) + (access.port - data_port), access.bytes);
}

void PciBus::write(const PortAccess& access, std::uint32_t value) {
  if (access.port == address_port && access.bytes == 4) address_ = value & address_bits;
  if (access.port < data_port) return;
  PciFunction* const function = selected();
  if (function == nullptr) return;
  function->write((address_ & 0xfc) + (access.port - data_port), access.bytes, value);
}

}  // namespace monitor
