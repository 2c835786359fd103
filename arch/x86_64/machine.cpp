// Coming and going: what the boot loader handed over, read once and kept; the emergency output,
// polled on COM1, used until the console's driver runs and when it cannot; the ways to leave the
// machine; and randomness.
#include "arch/machine.hpp"

#include "arch/frame_memory.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/multiboot2.hpp"
#include "arch/x86_64/parts.hpp"
#include "arch/x86_64/uart.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/memory_map.hpp"

extern "C" const char image_physical_start[], image_physical_end[];  // boot/kernel.ld

namespace arch {

using namespace x86;
using reprise::PhysAddr;

namespace {

struct MachinePorts {
  static std::uint8_t read8(unsigned port) { return in8(static_cast<std::uint16_t>(port)); }
  static void write8(unsigned port, std::uint8_t value) {
    out8(static_cast<std::uint16_t>(port), value);
  }
};
constinit Uart<MachinePorts> serial{0x3f8};

constinit BootStorage boot_storage{};

[[noreturn]] void refuse(std::string_view problem) {
  write_emergency("[reprise] The boot loader's information cannot be used: ");
  write_emergency(problem);
  write_emergency(". Boot the kernel by GRUB 2 with `multiboot2`.\n");
  write_emergency("reprise: error code=machine-unfit missing=boot-information\n");
  exit_machine(reprise::ExitCode::MachineUnfit);
}

// Intel SDM Vol. 1 §7.3.17: ten failures in a row do not happen on a sound CPU.
bool draw(bool (*instruction)(std::uint64_t&), std::uint64_t& value) {
  for (int i = 0; i < 16; ++i) {
    if (instruction(value)) return true;
  }
  return false;
}

// One multiply-xorshift round: spreads a time stamp's few changing bits over the word.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 31)) * 0x7fb5d329728ea185;
  value = (value ^ (value >> 27)) * 0x81dadef4bc2dd44d;
  return value ^ (value >> 33);
}

}  // namespace

void start_emergency_serial() {
  note_kernel_entry();
  serial.start();
}

void write_emergency(std::string_view text) {
  constexpr std::size_t most = 16;  // at once: what a UART's FIFO holds
  for (; !text.empty(); text.remove_prefix(reprise::smaller(text.size(), most))) {
    serial.write(text.substr(0, most));
    admit_interrupts();
  }
}

const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address) {
  if (magic != multiboot2_magic) refuse("not a Multiboot2 loader");
  const PhysAddr start{info_address};
  const std::size_t size = value_at<std::uint32_t>(physical_bytes(start, 8), 0);
  if (size < 16 || size > reprise::most_boot_bytes) refuse("its size makes no sense");
  const auto image = reinterpret_cast<std::uint64_t>(image_physical_start);
  const auto image_end = reinterpret_cast<std::uint64_t>(image_physical_end);
  const auto problem = parse_boot_info(physical_bytes(start, size), start,
                                       {PhysAddr{image}, image_end - image}, boot_storage);
  if (problem) refuse(*problem);
  return boot_storage.info;
}

void exit_machine(reprise::ExitCode code) {
  out8(debug_exit_port, static_cast<std::uint8_t>(code));
  halt_machine();
}

void halt_machine() {
  while (true) {
    cli();
    hlt();  // an NMI may end it
  }
}

void reset_processor() {
  lidt({0, 0});  // no handler for anything: the next exception shuts the CPU down
  __builtin_trap();
}

std::uint64_t entropy() {
  static constinit std::uint64_t count = 0;
  std::uint64_t value;
  if (has(feature::rdseed) && draw(rdseed, value)) return value;
  if (has(feature::rdrand) && draw(rdrand, value)) return value;
  return mix(rdtsc() + mix(++count));
}

}  // namespace arch
