// Leaving the machine, and asking the CPU small things.
#include "arch/machine.hpp"

#include "arch/x86_64/console.hpp"
#include "arch/x86_64/device_mapping.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupt_facts.hpp"
#include "arch/x86_64/layout.hpp"

namespace arch {
namespace {

// One multiply-xorshift round: spreads a time stamp's few changing bits over the word.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 31)) * 0x7fb5d329728ea185;
  value = (value ^ (value >> 27)) * 0x81dadef4bc2dd44d;
  return value ^ (value >> 33);
}

// The firmware's own way (ACPI 6.5 §4.8.3.6); it may do nothing.
void reset_by_acpi() {
  const auto& reset = x86::interrupt_facts().acpi.reset;
  if (!reset) return;
  if (reset->space == ResetRegister::Space::Port) {
    return x86::out8(static_cast<std::uint16_t>(reset->address), reset->value);
  }
  const auto bytes =
      x86::map_device(reprise::PhysAddr{reset->address}, 1, x86::CacheMode::Uncached);
  if (!bytes.empty()) *reinterpret_cast<volatile std::uint8_t*>(bytes.data()) = reset->value;
}

// The keyboard controller's pulse on the reset line; bounded, there may be no controller.
void reset_by_keyboard_controller() {
  constexpr std::uint16_t port = 0x64;
  constexpr std::uint8_t input_full = 2;
  for (int look = 0; look < 100'000 && (x86::in8(port) & input_full) != 0; ++look) {}
  x86::out8(port, 0xfe);
}

void wait_a_little() {
  [[maybe_unused]] volatile int step;
  for (int i = 0; i < 50'000'000; ++i) step = i;
}

}  // namespace

void exit_machine(reprise::ExitCode code) {
  x86::out8(x86::debug_exit_port, static_cast<std::uint8_t>(code));
  halt_machine();
}

void halt_machine() {
  while (true) {
    x86::cli();
    x86::hlt();  // an NMI may end it
  }
}

void reboot_machine() {
  reset_by_acpi();
  wait_a_little();
  reset_by_keyboard_controller();
  wait_a_little();
  x86::lidt({0, 0});  // no handler for anything: the next exception shuts the CPU down
  x86::write_msr(static_cast<x86::Msr>(0xffffffff), 0);
  halt_machine();
}

std::uint64_t entropy() {
  constexpr int tries = 16;  // Intel SDM Vol. 1 §7.3.17: ten in a row do not fail on a sound CPU
  static constinit std::uint64_t count = 0;
  std::uint64_t value;
  if (x86::cpuid(0).eax >= 7 && (x86::cpuid(7).ebx & x86::Cpuid7Ebx::Rdseed::mask) != 0) {
    for (int i = 0; i < tries; ++i) {
      if (x86::rdseed(value)) return value;
    }
  }
  if ((x86::cpuid(1).ecx & x86::Cpuid1Ecx::Rdrand::mask) != 0) {
    for (int i = 0; i < tries; ++i) {
      if (x86::rdrand(value)) return value;
    }
  }
  return mix(x86::rdtsc() + mix(++count));
}

std::uint64_t hardware_capabilities() { return x86::cpuid(1).edx; }

}  // namespace arch
