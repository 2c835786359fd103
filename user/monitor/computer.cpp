// See computer.hpp.
#include "user/monitor/computer.hpp"

namespace monitor {
namespace {

constexpr std::uint16_t console_base = 0x3f8;
constexpr unsigned timer_line = 0, console_line = 4, clock_line = 8;

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
    {0x0cf8, 0x0cff},  // PCI configuration: all ones, so there is no bus
};

}  // namespace

Computer::Computer(const ComputerFacts& facts, ByteSink& console, UnknownPorts& unknown)
    : console_{console_base, console},
      clock_{facts.wall_seconds, facts.memory_bytes},
      bus_{unknown} {
  connect();
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
  // As wide as PCI's address register, so that an address is not taken for a reset.
  bus_.add(Control::PciAddress, Control::PciAddress + 3, control_, PortWidth::Any);
  for (const PortRange& range : probed_in_vain) bus_.ignore(range.first, range.last);
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
}

GuestTime Computer::next_event(GuestTime now) {
  return sooner(timer_.next_event(now), clock_.next_event(now));
}

}  // namespace monitor
