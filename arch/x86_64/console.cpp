// See the header. Output goes to each device that is there; a device that is not costs nothing.
// Input is kept in a ring until the kernel asks, because the UART holds only 16 bytes.
#include "arch/x86_64/console.hpp"

#include <array>
#include <optional>

#include "arch/machine.hpp"
#include "arch/x86_64/clock.hpp"
#include "arch/x86_64/device_mapping.hpp"
#include "arch/x86_64/screen.hpp"
#include "arch/x86_64/uart.hpp"

namespace arch {
namespace {

constexpr std::uint16_t com1 = 0x3f8;

class InputRing {
public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ == bytes_.size(); }
  void put(char c) { bytes_[(first_ + count_++) % bytes_.size()] = c; }
  char take() {
    const char c = bytes_[first_];
    first_ = (first_ + 1) % bytes_.size();
    --count_;
    return c;
  }

private:
  std::array<char, 1024> bytes_{};
  std::size_t first_ = 0, count_ = 0;
};

constinit Uart<x86::MachinePorts> serial{com1};
constinit Screen screen;
constinit Output output = Output::Both;
constinit InputRing input;

}  // namespace

void start_emergency_serial() {
  x86::note_kernel_entry();
  serial.start();
}

void start_screen(const Framebuffer& framebuffer) {
  if (framebuffer.bits_per_pixel == 0) return;
  const std::size_t size = std::size_t{framebuffer.pitch} * framebuffer.height;
  screen.start(framebuffer,
               x86::map_device(framebuffer.address, size, x86::CacheMode::WriteCombining));
}

void select_output(Output selected) { output = selected; }

void write_console(std::string_view text) {
  if (output != Output::ScreenOnly) serial.write(text);
  if (output != Output::SerialOnly) screen.write(text);
}

std::size_t read_console(std::span<char> buffer) {
  x86::drain_serial();
  std::size_t taken = 0;
  while (taken < buffer.size() && !input.empty()) buffer[taken++] = input.take();
  return taken;
}

namespace x86 {

void drain_serial() {
  while (!input.full()) {
    const std::optional<char> c = serial.take();
    if (!c) return;
    input.put(*c);
  }
}

bool console_has_input() { return !input.empty() || serial.has_input(); }

void enable_serial_interrupt() { serial.enable_receive_interrupt(); }

ConsoleFacts console_facts() { return {serial.present(), screen.columns(), screen.rows()}; }

}  // namespace x86
}  // namespace arch
