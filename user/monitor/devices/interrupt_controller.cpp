// See interrupt_controller.hpp.
#include "user/monitor/devices/interrupt_controller.hpp"

namespace monitor {
namespace {

// Lines 0, 1, 2, 8 and 13 are edge triggered in every PC.
constexpr std::uint8_t first_may_be_level = 0xf8, second_may_be_level = 0xde;

}  // namespace

void InterruptController::set_line(unsigned line, bool high) {
  if (line == cascade_line) return;
  if (line < InterruptChip::lines) {
    first_.set_line(line, high);
  } else {
    second_.set_line(line - InterruptChip::lines, high);
    update_cascade();
  }
}

std::uint8_t InterruptController::acknowledge() {
  const std::optional<unsigned> line = first_.acknowledge();
  if (!line) return first_.vector_of(InterruptChip::spurious_line);
  if (*line != cascade_line) return first_.vector_of(*line);
  const unsigned source = second_.acknowledge().value_or(InterruptChip::spurious_line);
  first_.set_line(cascade_line, false);  // so that a request behind this one makes an edge
  update_cascade();
  return second_.vector_of(source);
}

std::uint32_t InterruptController::read(const PortAccess& access) {
  std::uint8_t value = 0xff;
  switch (access.port) {
    case FirstCommand: value = first_.read_command(); break;
    case FirstData: value = first_.read_data(); break;
    case SecondCommand: value = second_.read_command(); break;
    case SecondData: value = second_.read_data(); break;
    case FirstLevels: value = first_.level_lines(); break;
    case SecondLevels: value = second_.level_lines(); break;
    default: break;
  }
  update_cascade();
  return value;
}

void InterruptController::write(const PortAccess& access, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (access.port) {
    case FirstCommand: first_.write_command(byte); break;
    case FirstData: first_.write_data(byte); break;
    case SecondCommand: second_.write_command(byte); break;
    case SecondData: second_.write_data(byte); break;
    case FirstLevels: first_.set_level_lines(byte & first_may_be_level); break;
    case SecondLevels: second_.set_level_lines(byte & second_may_be_level); break;
    default: break;
  }
  update_cascade();
}

}  // namespace monitor
