// The I/O APICs: which device's interrupt becomes which vector.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/base/interrupt_controllers.hpp"

namespace arch::x86 {

// One controller. Its registers are reached through a window of two: index and value.
struct IoApic {
  volatile std::uint32_t* words = nullptr;  // nullptr: there is none
  std::uint32_t first = 0, inputs = 0;      // the interrupt numbers that it serves

  void write(std::uint32_t index, std::uint32_t value) const {
    words[0] = index;
    words[4] = value;
  }
  [[nodiscard]] std::uint32_t read(std::uint32_t index) const {
    words[0] = index;
    return words[4];
  }
  [[nodiscard]] bool serves(std::uint32_t interrupt) const {
    return interrupt >= first && interrupt - first < inputs;
  }
};

// Starts all I/O APICs with every input masked; returns how many inputs there are. Nothing is
// returned or changed when one of them is not device memory.
[[nodiscard]] std::optional<std::uint32_t> start_io_apics(
    const reprise::InterruptControllers& controllers);

enum class InputMask : bool { Open, Masked };
// Nothing happens when the line has no input.
void route_line(unsigned line, InputMask mask);

[[nodiscard]] bool is_level_triggered(unsigned line);

}  // namespace arch::x86
