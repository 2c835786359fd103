// A virtio block device with the legacy interface over PCI (Virtio 1.1 §4.1.4.8, §5.2), its
// registers in ports. It was chosen over ATA because a request moves whole pages: an access to a
// port costs the guest a stop, and PIO has one for each few bytes. Everything in the queue comes
// from the guest and is checked: chains are bounded, and addresses without memory fail the request.
//
// A request is served within the write that announces it, and its interrupt follows at once.
#pragma once

#include <array>
#include <cstdint>

#include "user/monitor/devices/pci_bus.hpp"
#include "user/monitor/disk_image.hpp"
#include "user/monitor/page_walker.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class VirtioDisk final : public PortDevice {
public:
  // The ports among which a guest can place the registers.
  static constexpr std::uint16_t first_port = 0xc000, last_port = 0xcfff;
  static constexpr unsigned interrupt_line = 11;
  static constexpr unsigned queue_size = 128;

  VirtioDisk(DiskImage& image, GuestMemory& memory);

  [[nodiscard]] PciFunction& configuration() { return configuration_; }
  [[nodiscard]] bool interrupts() const;

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t flags, next;
  };
  struct Chain {
    std::array<Descriptor, queue_size> parts;
    unsigned count = 0;
  };
  enum class Status : std::uint8_t { Ok = 0, Error = 1, Unsupported = 2 };

  [[nodiscard]] std::uint32_t read_register(unsigned offset);
  void write_register(unsigned offset, std::uint32_t value);
  [[nodiscard]] bool is_own(const PortAccess& access, unsigned& offset) const;
  void reset();
  void serve_queue();
  [[nodiscard]] bool serve_next(std::uint16_t place);
  [[nodiscard]] bool read_chain(std::uint16_t head, Chain& chain);
  [[nodiscard]] std::uint32_t serve_request(const Chain& chain);
  [[nodiscard]] Status transfer(const Chain& chain, std::uint64_t sector, bool to_disk);
  [[nodiscard]] bool move_part(const Descriptor& part, std::uint64_t position, bool to_disk);
  [[nodiscard]] Status identify(const Chain& chain);
  template <class T>
  [[nodiscard]] bool load(std::uint64_t address, T& value) {
    return memory_.read(address, &value, sizeof value);
  }
  template <class T>
  [[nodiscard]] bool store(std::uint64_t address, const T& value) {
    return memory_.write(address, &value, sizeof value);
  }

  DiskImage& image_;
  GuestMemory& memory_;
  PciFunction configuration_;
  std::uint32_t guest_features_ = 0;
  std::uint32_t queue_page_ = 0;  // 0: the guest has not placed the queue
  std::uint16_t queue_selected_ = 0;
  std::uint8_t status_ = 0;
  std::uint8_t interrupt_status_ = 0;
  std::uint16_t next_available_ = 0, next_used_ = 0;
};

}  // namespace monitor
