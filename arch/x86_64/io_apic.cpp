// The I/O APICs (Intel 82093AA data sheet). Where each line arrives, init has read from the
// firmware's tables (user/init/acpi.cpp).
#include "arch/x86_64/io_apic.hpp"

#include "arch/physical_memory.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/kernel_tables.hpp"

namespace arch {

using namespace x86;

using reprise::InterruptSource;
using reprise::PhysAddr;

namespace {

static_assert(last_device_vector - first_device_vector + 1 == 32);  // a vector a line
constexpr std::uint32_t version = 1, first_input = 0x10;            // registers; two words an input
constexpr std::size_t window_bytes = 0x20;
constexpr std::uint32_t active_low = 1 << 13, level_triggered = 1 << 15, masked = 1 << 16;

std::uint32_t low_word(unsigned line, const InterruptSource& source) {
  std::uint32_t word = first_device_vector + line;
  if (source.active_low != 0) word |= active_low;
  if (source.level_triggered != 0) word |= level_triggered;
  return word;
}

// Returns the number of inputs: all masked.
std::uint32_t start_io_apic(IoApic& io_apic, std::span<std::byte> window, std::uint32_t first) {
  io_apic.words = reinterpret_cast<volatile std::uint32_t*>(window.data());
  io_apic.first = first;
  io_apic.inputs = (io_apic.read(version) >> 16 & 0xff) + 1;
  for (std::uint32_t input = 0; input < io_apic.inputs; ++input) {
    io_apic.write(first_input + 2 * input, masked);
  }
  return io_apic.inputs;
}

}  // namespace

std::optional<std::uint32_t> x86::start_io_apics(const reprise::InterruptControllers& controllers) {
  for (const auto& [address, first_interrupt] : controllers.io_apics) {
    const PhysAddr start{address};
    if (address != 0 && !is_device_memory(start, start + (window_bytes - 1))) return std::nullopt;
  }
  board.interrupts.sources = controllers.lines;
  std::uint32_t inputs = 0;
  for (std::size_t i = 0; i < controllers.io_apics.size(); ++i) {
    const auto& [address, first_interrupt] = controllers.io_apics[i];
    if (address == 0) continue;
    const auto window = map_device(PhysAddr{address}, window_bytes, CacheMode::Uncached);
    if (window.empty()) continue;
    inputs += start_io_apic(board.interrupts.io_apics[i], window, first_interrupt);
  }
  return inputs;
}

bool x86::is_level_triggered(unsigned line) {
  return board.interrupts.sources[line].level_triggered != 0;
}

// The low word, which unmasks, comes last.
void x86::route_line(unsigned line, InputMask mask) {
  const InterruptSource& source = board.interrupts.sources[line];
  for (const IoApic& io_apic : board.interrupts.io_apics) {
    if (!io_apic.serves(source.interrupt)) continue;
    const std::uint32_t entry = first_input + 2 * (source.interrupt - io_apic.first);
    io_apic.write(entry + 1, local_apic_id() << 24);
    io_apic.write(entry, low_word(line, source) | (mask == InputMask::Masked ? masked : 0));
    return;
  }
}

}  // namespace arch
