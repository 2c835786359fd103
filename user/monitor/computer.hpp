// The guest's computer but its processor and memory: the devices, and the wires between them. The
// monitor's loop (session.hpp) drives it in guest time.
#pragma once

#include <cstdint>

#include "user/monitor/devices/byte_sink.hpp"
#include "user/monitor/devices/control_ports.hpp"
#include "user/monitor/devices/interrupt_controller.hpp"
#include "user/monitor/devices/interval_timer.hpp"
#include "user/monitor/devices/pci_bus.hpp"
#include "user/monitor/devices/real_time_clock.hpp"
#include "user/monitor/devices/serial_port.hpp"
#include "user/monitor/devices/virtio_disk.hpp"
#include "user/monitor/port_bus.hpp"

namespace monitor {

struct ComputerFacts {
  std::uint64_t wall_seconds = 0;  // since 1970, at guest time 0
  std::uint64_t memory_bytes = 0;
};

class Computer {
public:
  // Without a disk there is no PCI bus.
  Computer(const ComputerFacts& facts, ByteSink& console, UnknownPorts& unknown,
           VirtioDisk* disk = nullptr);
  Computer(const Computer&) = delete;
  Computer& operator=(const Computer&) = delete;

  [[nodiscard]] std::uint32_t read_port(const PortAccess& access) { return bus_.read(access); }
  void write_port(const PortAccess& access, std::uint32_t value) { bus_.write(access, value); }

  // Passes on the interrupts of all that has happened up to now.
  void advance(GuestTime now);
  // When something happens next without the guest's doing.
  [[nodiscard]] GuestTime next_event(GuestTime now);
  [[nodiscard]] InterruptController& interrupts() { return interrupts_; }
  [[nodiscard]] SerialPort& console() { return console_; }
  [[nodiscard]] const Ending& ending() const { return control_.ending(); }

private:
  void connect();
  void connect_disk(VirtioDisk& disk);

  InterruptController interrupts_;
  IntervalTimer timer_;
  SerialPort console_;
  RealTimeClock clock_;
  ControlPorts control_;
  PciBus pci_;
  PciFunction host_bridge_;
  VirtioDisk* disk_;  // nullptr: none
  PortBus bus_;
};

}  // namespace monitor
