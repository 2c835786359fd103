// The emergency output, polled on COM1, and the timeline's records on COM2.
#include "arch/serial.hpp"

#include "arch/interrupts.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/clock.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

void write_to(Uart<MachinePorts>& port, std::string_view text) {
  constexpr std::size_t most = 16;  // at once: what a UART's FIFO holds
  for (; !text.empty(); text.remove_prefix(reprise::smaller(text.size(), most))) {
    port.write(text.substr(0, most));
    admit_interrupts();
  }
}

}  // namespace

void start_emergency_serial() {
  note_kernel_entry();
  board.serial.start();
}

void write_emergency(std::string_view text) { write_to(board.serial, text); }

void start_second_serial() { board.second_serial.start(); }

void write_second_serial(std::string_view text) { write_to(board.second_serial, text); }

}  // namespace arch
