// I/O APICs (Intel 82093AA data sheet), found through the MADT: every input is masked, then the few
// that are wanted are led to this CPU.
#pragma once

#include <cstdint>

#include "arch/x86_64/acpi.hpp"

namespace arch::x86 {

class IoApic {
public:
  // False when its registers cannot be reached.
  bool start(const IoApicEntry& entry);
  void mask_all();
  [[nodiscard]] bool serves(std::uint32_t interrupt) const {
    return interrupt >= first_ && interrupt - first_ < inputs_;
  }
  void route(const InterruptSource& source, std::uint8_t vector, std::uint32_t apic_id);
  [[nodiscard]] std::uint32_t inputs() const { return inputs_; }

private:
  [[nodiscard]] std::uint32_t read(std::uint32_t index) const;
  void write(std::uint32_t index, std::uint32_t value);

  volatile std::uint32_t* registers_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t inputs_ = 0;
};

}  // namespace arch::x86
