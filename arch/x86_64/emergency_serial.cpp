// The kernel's own way to say something: polled output on COM1. Used until the console's driver runs
// and when it cannot.
#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/devices.hpp"
#include "arch/x86_64/uart.hpp"

namespace arch {

using namespace x86;

namespace {

constinit Uart<MachinePorts> serial{0x3f8};

}  // namespace

void start_emergency_serial() {
  note_kernel_entry();
  serial.start();
}

void write_emergency(std::string_view text) {
  constexpr std::size_t most = 16;  // at once: what a UART's FIFO holds
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, most);
    serial.write(piece);
    text.remove_prefix(piece.size());
    admit_interrupts();
  }
}

}  // namespace arch
