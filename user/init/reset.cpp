// Tries one way after the other, and waits a little after each, because a way may do nothing. No
// other program runs meanwhile: init is always ready.
#include "user/init/reset.hpp"

#include "kernel/base/address.hpp"
#include "user/init/kernel.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {
namespace {

void wait_a_little() {
  constexpr std::int64_t a_little = 100'000'000;  // nanoseconds
  const std::int64_t end = user::time() + a_little;
  while (user::time() < end) {
  }
}

// ACPI 6.5 §4.8.3.6.
void reset_by_firmware(const ResetRegister& reset) {
  if (reset.space == ResetRegister::Space::Port) {
    user::out8(static_cast<std::uint16_t>(reset.address), reset.value);
    return;
  }
  constexpr std::uint64_t place = 0x200000000;  // where nothing of init's is
  const std::uint64_t page = round_down(reset.address);
  if (user::raw_call(REPRISE_MAP_DEVICE, place, page_size, page) != 0) return;
  *reinterpret_cast<volatile std::uint8_t*>(place + (reset.address - page)) = reset.value;
}

// A pulse on the reset line; there may be no controller.
void reset_by_keyboard_controller() {
  constexpr std::uint16_t port = 0x64;
  constexpr std::uint8_t input_full = 2;
  for (int look = 0; look < 10'000 && (user::in8(port) & input_full) != 0; ++look) {
  }
  user::out8(port, 0xfe);
}

}  // namespace

void reboot_machine(const std::optional<ResetRegister>& reset) {
  finish_output();
  if (reset) {
    reset_by_firmware(*reset);
    wait_a_little();
  }
  reset_by_keyboard_controller();
  wait_a_little();
  reset_processor();
}

}  // namespace reprise
