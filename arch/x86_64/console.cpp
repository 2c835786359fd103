// The machine's console: COM1 and the framebuffer. Output goes to each device that is there; a
// device that is not costs nothing. Input is kept in a ring until the kernel asks, because the UART
// holds only 16 bytes.
#include <array>

#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/devices.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/screen.hpp"
#include "arch/x86_64/uart.hpp"

namespace arch {

using namespace x86;

namespace {

constinit Uart<MachinePorts> serial{0x3f8};
constinit Screen screen;
constinit Output output = Output::Both;
constinit std::array<char, 1024> input{};
constinit std::size_t arrived = 0, taken = 0;  // bytes in all; their difference is in the ring

}  // namespace

void start_emergency_serial() {
  note_kernel_entry();
  serial.start();
}

void start_screen(const Framebuffer& framebuffer) {
  if (framebuffer.bits_per_pixel == 0) return;
  const std::size_t size = std::size_t{framebuffer.pitch} * framebuffer.height;
  screen.start(framebuffer, map_device(framebuffer.address, size, CacheMode::WriteCombining));
}

void select_output(Output selected) { output = selected; }

void write_console(std::string_view text) {
  constexpr std::size_t most = 16;  // at once: what a UART's FIFO holds
  for (std::size_t done = 0; done < text.size(); done += most) {
    const std::size_t left = text.size() - done;
    const std::string_view piece{text.data() + done, left < most ? left : most};
    if (output != Output::ScreenOnly) serial.write(piece);
    if (output != Output::SerialOnly) screen.write(piece);
    admit_interrupts();
  }
}

std::size_t read_console(std::span<char> buffer) {
  drain_serial();
  std::size_t count = 0;
  while (count < buffer.size() && taken < arrived) buffer[count++] = input[taken++ % input.size()];
  return count;
}

void x86::drain_serial() {
  while (arrived - taken < input.size()) {
    const std::optional<char> c = serial.take();
    if (!c) return;
    input[arrived++ % input.size()] = *c;
  }
}

bool x86::console_has_input() { return taken < arrived || serial.has_input(); }

void x86::enable_serial_interrupt() { serial.enable_receive_interrupt(); }

reprise::TextLine x86::describe_console() {
  reprise::TextLine line{"console: serial ", serial.present() ? "on" : "absent", ", screen "};
  if (!screen.on()) return reprise::TextLine{line, "absent"};
  return reprise::TextLine{line, screen.columns(), " x ", screen.rows(), " characters"};
}

}  // namespace arch
