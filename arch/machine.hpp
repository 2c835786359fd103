// Bringing the machine up, and what the kernel asks of it apart from running programs. The kernel's
// main() calls these in the order in which they stand here; each says what it relies on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/base/address.hpp"
#include "kernel/base/exit_code.hpp"

namespace arch {

struct MemoryRange {
  reprise::PhysAddr start;
  std::uint64_t size;  // bytes
};

inline constexpr std::size_t max_memory_ranges = 128;
inline constexpr std::size_t max_modules = 64;

// What the kernel itself needs of what the boot loader left in memory.
struct BootInfo {
  // Usable and free, in whole pages: image, modules, boot data cut out. Some may be empty.
  std::span<const MemoryRange> memory;
  std::span<const MemoryRange> modules;          // page-aligned starts
  std::optional<std::size_t> init, personality;  // the first of the modules with that string
  MemoryRange blob;                              // all that the boot loader left to be read
  std::uint64_t total_memory;                    // bytes of usable RAM before the cuts
};

void start_emergency_serial();  // needs nothing; bounded when no UART answers
void load_descriptor_tables();  // GDT, TSS with interrupt stacks, IDT
void require_features();        // names what is missing, exits MachineUnfit
[[nodiscard]] const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address);
// Final page tables, W^X for each section, the direct map; NX, WP, SMEP, SMAP, UMIP switched on.
void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames);
void check_write_xor_execute();  // walks all mappings, panics on a bad one
void start_extended_state();     // FXSAVE, or XSAVE with every component
void start_interrupts();         // 8259 masked, local APIC
void start_clock();              // APIC timer measured by the time stamp

// Monotonic, since kernel entry, but for one jump at set_clock(): until that the time stamp is
// taken to run at 1 GHz, so that a nanosecond is one of its ticks.
[[nodiscard]] reprise::Nanoseconds now();
[[nodiscard]] std::uint64_t timer_frequency();  // the local APIC's timer, in hertz; 0: stands
// How fast both run, in hertz; and that this moment is time_stamp() `stamp`: what has passed since
// is left out of time.
void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp);
[[nodiscard]] std::uint64_t entropy();     // RDSEED, RDRAND, else a mixed time stamp
[[nodiscard]] std::uint64_t time_stamp();  // of now(), in ticks

// On the serial line, \n as \r\n; polled. What cannot be written in bounded time is lost.
void write_emergency(std::string_view text);

[[noreturn]] void exit_machine(reprise::ExitCode code);  // isa-debug-exit, else halts for ever
[[noreturn]] void halt_machine();
[[noreturn]] void reset_processor();  // by a triple fault: most machines restart then

}  // namespace arch
