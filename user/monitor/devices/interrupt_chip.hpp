// One 8259A interrupt controller (Intel 8259A data sheet). Of its modes, buffered mode and the
// vectors of the 8080 have no meaning in a PC and are taken without effect.
//
// A request of an edge-triggered line lasts until it is acknowledged or the line falls, whichever
// comes first. Next: interrupt_controller.hpp, the pair that a PC has.
#pragma once

#include <cstdint>
#include <optional>

namespace monitor {

class InterruptChip {
public:
  static constexpr unsigned lines = 8;
  static constexpr unsigned spurious_line = 7;

  // The lines that are level triggered: the PC's ELCR register. ICW1 can make all of them so.
  void set_level_lines(std::uint8_t mask) { level_lines_ = mask; }
  [[nodiscard]] std::uint8_t level_lines() const { return level_lines_; }
  // In special fully nested mode a chip's cascade lines interrupt themselves.
  void set_cascade_lines(std::uint8_t mask) { cascade_lines_ = mask; }

  void set_line(unsigned line, bool high);
  // The INT output.
  [[nodiscard]] bool interrupts() const { return next().has_value(); }
  // The INTA cycle: the line that is in service now. Nothing: no line asks any more, and the chip
  // answers with the vector of line 7, which is not in service then.
  std::optional<unsigned> acknowledge();
  [[nodiscard]] std::uint8_t vector_of(unsigned line) const {
    return static_cast<std::uint8_t>(vector_base_ | line);
  }

  [[nodiscard]] std::uint8_t read_command();
  [[nodiscard]] std::uint8_t read_data();
  void write_command(std::uint8_t value);
  void write_data(std::uint8_t value);

private:
  enum class State : std::uint8_t { Unset, AwaitsIcw2, AwaitsIcw3, AwaitsIcw4, Operates };

  [[nodiscard]] std::uint8_t requests() const;
  [[nodiscard]] std::optional<unsigned> next() const;
  [[nodiscard]] std::optional<unsigned> highest_in_service() const;
  [[nodiscard]] unsigned line_of_rank(unsigned rank) const { return (lowest_ + 1 + rank) % lines; }
  [[nodiscard]] std::uint8_t poll();
  void initialize(std::uint8_t icw1);
  void end_of_interrupt(std::uint8_t ocw2);
  void set_modes(std::uint8_t ocw3);

  State state_ = State::Unset;
  std::uint8_t icw1_ = 0;
  std::uint8_t vector_base_ = 0;
  std::uint8_t level_lines_ = 0, cascade_lines_ = 0;
  std::uint8_t high_ = 0;     // the lines' levels
  std::uint8_t edges_ = 0;    // rising edges that wait
  std::uint8_t mask_ = 0;     // IMR
  std::uint8_t service_ = 0;  // ISR
  unsigned lowest_ = 7;       // the line of lowest priority
  bool automatic_end_ = false, rotates_at_automatic_end_ = false;
  bool special_mask_ = false, special_nesting_ = false;
  bool shows_service_ = false;  // the command port reads ISR rather than IRR
  bool polled_ = false;         // the next read is a poll
};

}  // namespace monitor
