// See computer.hpp.
#include "user/monitor/computer.hpp"

namespace monitor {
namespace {

constexpr std::uint16_t console_base = 0x3f8;
constexpr unsigned timer_line = 0, console_line = 4, clock_line = 8;
// An Intel 440FX, which every kernel takes for a PC's host bridge.
constexpr std::uint32_t bridge_identification = 0x1237'8086, bridge_kind = 0x0600'0000;
constexpr unsigned disk_device = 4;

struct PortRange {
  std::uint16_t first, last;
};

// What a PC's software looks for, and finds that it is not there.
constexpr PortRange probed_in_vain[]{
    {0x0080, 0x0080},  // the place of POST codes, which serves as a short pause
    {0x00ed, 0x00ed},  // another such place
    {0x02e8, 0x02ef},  // other serial ports
    {0x02f8, 0x02ff},  // as well
    {0x03c0, 0x03df},  // a screen's registers
    {0x03e8, 0x03ef},  // other serial ports
    {0x03f0, 0x03f7},  // floppy disks
};

}  // namespace

Computer::Computer(const ComputerFacts& facts, ByteSink& console, UnknownPorts& unknown,
                   VirtioDisk* disk)
    : console_{console_base, console},
      clock_{facts.wall_seconds, facts.memory_bytes},
      host_bridge_{bridge_identification, bridge_kind},
      disk_{disk},
      bus_{unknown} {
  connect();
  if (disk_ != nullptr) connect_disk(*disk_);
}

void Computer::connect() {
  using Interrupts = InterruptController;
  using Control = ControlPorts;
  bus_.add(console_base, console_base + SerialPort::ports - 1, console_);
  bus_.add(IntervalTimer::first_port, IntervalTimer::control_port, timer_);
  bus_.add(IntervalTimer::system_port, IntervalTimer::system_port, timer_);
  bus_.add(Interrupts::FirstCommand, Interrupts::FirstData, interrupts_);
  bus_.add(Interrupts::SecondCommand, Interrupts::SecondData, interrupts_);
  bus_.add(Interrupts::FirstLevels, Interrupts::SecondLevels, interrupts_);
  bus_.add(RealTimeClock::index_port, RealTimeClock::data_port, clock_);
  bus_.add(Control::KeyboardData, Control::KeyboardData, control_);
  bus_.add(Control::KeyboardCommand, Control::KeyboardCommand, control_);
  bus_.add(Control::SystemControl, Control::SystemControl, control_);
  bus_.add(Control::Exit, Control::Exit, control_);
  bus_.add(Control::SecondExit, Control::SecondExit, control_);
  // A byte within PCI's address register, which itself is four bytes wide.
  bus_.add(Control::ResetControl, Control::ResetControl, control_);
  bus_.add(PciBus::address_port, PciBus::last_port, pci_, PortWidth::Any);
  for (const PortRange& range : probed_in_vain) bus_.ignore(range.first, range.last);
}

void Computer::connect_disk(VirtioDisk& disk) {
  pci_.add(0, host_bridge_);
  pci_.add(disk_device, disk.configuration());
  bus_.add(VirtioDisk::first_port, VirtioDisk::last_port, disk, PortWidth::Any);
  // As firmware leaves it: PCI's lines are level triggered.
  constexpr unsigned level = 1u << (VirtioDisk::interrupt_line - InterruptChip::lines);
  interrupts_.write({.port = InterruptController::SecondLevels}, level);
}

void Computer::advance(GuestTime now) {
  const IntervalTimer::Line line = timer_.take_line(now);
  if (line.rose) {
    interrupts_.set_line(timer_line, false);
    interrupts_.set_line(timer_line, true);
  }
  if (!line.high) interrupts_.set_line(timer_line, false);
  interrupts_.set_line(console_line, console_.interrupts());
  interrupts_.set_line(clock_line, clock_.interrupts(now));
  if (disk_ != nullptr) interrupts_.set_line(VirtioDisk::interrupt_line, disk_->interrupts());
}

GuestTime Computer::next_event(GuestTime now) {
  return sooner(timer_.next_event(now), clock_.next_event(now));
}

}  // namespace monitor
