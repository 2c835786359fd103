// See interrupt_chip.hpp.
#include "user/monitor/devices/interrupt_chip.hpp"

namespace monitor {
namespace {

constexpr std::uint8_t bit(unsigned line) { return static_cast<std::uint8_t>(1u << line); }

constexpr std::uint8_t icw1_follows_icw4 = 1, icw1_single = 2, icw1_level = 8, is_icw1 = 0x10;
constexpr std::uint8_t icw4_automatic_end = 2, icw4_special_nesting = 0x10;
constexpr std::uint8_t is_ocw3 = 8;

// OCW2, bits 7:5.
enum class EndCommand : std::uint8_t {
  StopRotation = 0,
  End = 1,
  Nothing = 2,
  EndLine = 3,
  StartRotation = 4,
  EndAndRotate = 5,
  SetPriority = 6,
  EndLineAndRotate = 7,
};

}  // namespace

void InterruptChip::set_line(unsigned line, bool high) {
  const std::uint8_t mask = bit(line);
  const bool was_high = (high_ & mask) != 0;
  if (high && !was_high) edges_ |= mask;
  if (!high) edges_ &= static_cast<std::uint8_t>(~mask);
  high_ = static_cast<std::uint8_t>(high ? high_ | mask : high_ & ~mask);
}

std::uint8_t InterruptChip::requests() const {
  const std::uint8_t levels = (icw1_ & icw1_level) != 0 ? 0xff : level_lines_;
  return static_cast<std::uint8_t>((edges_ & ~levels) | (high_ & levels));
}

std::optional<unsigned> InterruptChip::next() const {
  if (state_ != State::Operates) return std::nullopt;
  const auto wanted = static_cast<std::uint8_t>(requests() & ~mask_);
  const auto blocking = static_cast<std::uint8_t>(special_mask_ ? service_ & ~mask_ : service_);
  for (unsigned rank = 0; rank < lines; ++rank) {
    const unsigned line = line_of_rank(rank);
    const bool asks = (wanted & bit(line)) != 0;
    if ((blocking & bit(line)) != 0) {
      const bool nests = special_nesting_ && (cascade_lines_ & bit(line)) != 0;
      return nests && asks ? std::optional{line} : std::nullopt;
    }
    if (asks) return line;
  }
  return std::nullopt;
}

std::optional<unsigned> InterruptChip::acknowledge() {
  const std::optional<unsigned> line = next();
  if (!line) return std::nullopt;
  edges_ &= static_cast<std::uint8_t>(~bit(*line));
  if (!automatic_end_) {
    service_ |= bit(*line);
  } else if (rotates_at_automatic_end_) {
    lowest_ = *line;
  }
  return line;
}

std::uint8_t InterruptChip::poll() {
  constexpr std::uint8_t there_is_one = 0x80;
  polled_ = false;
  const std::optional<unsigned> line = acknowledge();
  return static_cast<std::uint8_t>(line ? there_is_one | *line : 0);
}

std::uint8_t InterruptChip::read_command() {
  if (polled_) return poll();
  return shows_service_ ? service_ : requests();
}

std::uint8_t InterruptChip::read_data() { return polled_ ? poll() : mask_; }

void InterruptChip::write_command(std::uint8_t value) {
  if ((value & is_icw1) != 0) {
    initialize(value);
  } else if ((value & is_ocw3) != 0) {
    set_modes(value);
  } else {
    end_of_interrupt(value);
  }
}

void InterruptChip::initialize(std::uint8_t icw1) {
  state_ = State::AwaitsIcw2;
  icw1_ = icw1;
  edges_ = 0;  // a line must rise again
  mask_ = 0;
  service_ = 0;
  lowest_ = 7;
  automatic_end_ = rotates_at_automatic_end_ = false;
  special_mask_ = special_nesting_ = false;
  shows_service_ = polled_ = false;
}

void InterruptChip::write_data(std::uint8_t value) {
  const State behind_icw3 = (icw1_ & icw1_follows_icw4) != 0 ? State::AwaitsIcw4 : State::Operates;
  switch (state_) {
    case State::AwaitsIcw2:
      vector_base_ = value & 0xf8;
      state_ = (icw1_ & icw1_single) != 0 ? behind_icw3 : State::AwaitsIcw3;
      return;
    case State::AwaitsIcw3: state_ = behind_icw3; return;
    case State::AwaitsIcw4:
      automatic_end_ = (value & icw4_automatic_end) != 0;
      special_nesting_ = (value & icw4_special_nesting) != 0;
      state_ = State::Operates;
      return;
    case State::Unset:
    case State::Operates: mask_ = value; return;
  }
}

std::optional<unsigned> InterruptChip::highest_in_service() const {
  const auto ending = static_cast<std::uint8_t>(special_mask_ ? service_ & ~mask_ : service_);
  for (unsigned rank = 0; rank < lines; ++rank) {
    const unsigned line = line_of_rank(rank);
    if ((ending & bit(line)) != 0) return line;
  }
  return std::nullopt;
}

void InterruptChip::end_of_interrupt(std::uint8_t ocw2) {
  const auto command = static_cast<EndCommand>(ocw2 >> 5);
  const unsigned named = ocw2 & 7u;
  std::optional<unsigned> ended;
  switch (command) {
    case EndCommand::Nothing: return;
    case EndCommand::StopRotation: rotates_at_automatic_end_ = false; return;
    case EndCommand::StartRotation: rotates_at_automatic_end_ = true; return;
    case EndCommand::SetPriority: lowest_ = named; return;
    case EndCommand::End:
    case EndCommand::EndAndRotate: ended = highest_in_service(); break;
    case EndCommand::EndLine:
    case EndCommand::EndLineAndRotate: ended = named; break;
  }
  if (!ended) return;
  service_ &= static_cast<std::uint8_t>(~bit(*ended));
  const bool rotates =
      command == EndCommand::EndAndRotate || command == EndCommand::EndLineAndRotate;
  if (rotates) lowest_ = *ended;
}

void InterruptChip::set_modes(std::uint8_t ocw3) {
  constexpr std::uint8_t service = 1, chooses_register = 2, polls = 4, masks = 0x20,
                         chooses_masking = 0x40;
  if ((ocw3 & chooses_masking) != 0) special_mask_ = (ocw3 & masks) != 0;
  if ((ocw3 & polls) != 0) {
    polled_ = true;
  } else if ((ocw3 & chooses_register) != 0) {
    shows_service_ = (ocw3 & service) != 0;
  }
}

}  // namespace monitor
