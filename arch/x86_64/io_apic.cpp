// The I/O APICs (Intel 82093AA data sheet): which device's interrupt becomes which vector. Where
// each line arrives, init has read from the firmware's tables (user/init/acpi.cpp). A
// level-triggered one is masked when it comes in: it would come again until its driver has run.
#include <array>

#include "arch/device_access.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/parts.hpp"

namespace arch {

using namespace x86;

using reprise::InterruptSource;
using reprise::PhysAddr;

namespace {

static_assert(last_device_vector - first_device_vector + 1 == 32);  // a vector a line
constexpr std::uint32_t version = 1, first_input = 0x10;            // registers; two words an input
constexpr std::size_t window_bytes = 0x20;  // through which they are reached
constexpr std::uint32_t active_low = 1 << 13, level_triggered = 1 << 15, masked = 1 << 16;

struct IoApic {
  volatile std::uint32_t* words = nullptr;
  std::uint32_t first = 0, inputs = 0;

  void write(std::uint32_t index, std::uint32_t value) const {
    words[0] = index;
    words[4] = value;
  }
  [[nodiscard]] std::uint32_t read(std::uint32_t index) const {
    words[0] = index;
    return words[4];
  }
};

constinit std::array<IoApic, reprise::InterruptControllers{}.io_apics.size()> io_apics{};
constinit decltype(reprise::InterruptControllers::lines) sources{};
constinit std::uint32_t fired = 0, waiting = 0;  // by line: not yet taken; masked until expected

// The low word, which unmasks, comes last. Nothing happens when there is no such input.
void route(unsigned line, std::uint32_t mask) {
  const InterruptSource& source = sources[line];
  for (const IoApic& io_apic : io_apics) {
    const std::uint32_t input = source.interrupt - io_apic.first;
    if (source.interrupt < io_apic.first || input >= io_apic.inputs) continue;
    io_apic.write(first_input + 2 * input + 1, local_apic_id() << 24);
    io_apic.write(first_input + 2 * input,
                  (first_device_vector + line) | (source.active_low != 0 ? active_low : 0) |
                      (source.level_triggered != 0 ? level_triggered : 0) | mask);
    return;
  }
}

}  // namespace

std::optional<std::uint32_t> x86::start_io_apics(const reprise::InterruptControllers& controllers) {
  for (const auto& [address, first_interrupt] : controllers.io_apics) {
    const PhysAddr start{address};
    if (address != 0 && !is_device_memory(start, start + (window_bytes - 1))) return std::nullopt;
  }
  sources = controllers.lines;
  std::uint32_t inputs = 0;
  for (std::size_t i = 0; i < io_apics.size(); ++i) {
    const auto& [address, first_interrupt] = controllers.io_apics[i];
    if (address == 0) continue;
    const auto bytes = map_device(PhysAddr{address}, window_bytes, CacheMode::Uncached);
    if (bytes.empty()) continue;
    IoApic& io_apic = io_apics[i];
    io_apic.words = reinterpret_cast<volatile std::uint32_t*>(bytes.data());
    io_apic.first = first_interrupt;
    io_apic.inputs = (io_apic.read(version) >> 16 & 0xff) + 1;
    for (std::uint32_t j = 0; j < io_apic.inputs; ++j) io_apic.write(first_input + 2 * j, masked);
    inputs += io_apic.inputs;
  }
  return inputs;
}

void x86::note_device_interrupt(std::uint8_t vector) {
  const unsigned line = vector - first_device_vector;
  fired |= 1u << line;
  if (sources[line].level_triggered == 0) return;
  waiting |= 1u << line;
  route(line, masked);
}

void connect_interrupts(std::uint32_t wanted) {
  for (unsigned line = 0; line < sources.size(); ++line)
    if ((wanted >> line & 1) != 0) route(line, 0);
}

std::uint32_t take_interrupts() {
  const std::uint32_t taken = fired;
  fired = 0;
  return taken;
}

void expect_interrupts(std::uint32_t expected) {
  const std::uint32_t now = waiting & expected;
  waiting &= ~now;
  if (now != 0) connect_interrupts(now);
}

}  // namespace arch
