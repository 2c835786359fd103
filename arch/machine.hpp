// Bringing the machine up, and what the kernel asks of it apart from running programs. The kernel's
// main() calls these in the order in which they stand here; each says what it relies on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/base/address.hpp"
#include "kernel/base/exit_code.hpp"

namespace arch {

struct MemoryRange {
  reprise::PhysAddr start;
  std::uint64_t size;  // bytes
};

struct Module {
  MemoryRange range;        // page-aligned start
  std::string_view string;  // what stands behind the file name in `module2 FILE STRING`
};

struct Framebuffer {
  reprise::PhysAddr address;
  std::uint32_t pitch = 0, width = 0, height = 0;  // pitch in bytes, size in pixels
  std::uint8_t bits_per_pixel = 0;                 // 0: none
  std::uint8_t red_position = 0, green_position = 0, blue_position = 0;
};

inline constexpr std::size_t max_memory_ranges = 128;
inline constexpr std::size_t max_modules = 64;

struct BootInfo {
  std::string_view command_line;
  // Usable and free, in whole pages: image, modules, boot data cut out. Some may be empty.
  std::span<const MemoryRange> memory;
  std::span<const Module> modules;
  Framebuffer framebuffer;
  reprise::PhysAddr acpi_root;  // RSDP; 0 when there is none
  std::uint64_t total_memory;   // bytes of usable RAM before the cuts
  std::string_view loader;      // boot loader's name
};

void start_emergency_serial();                       // needs nothing; bounded when no UART answers
void load_descriptor_tables();                       // GDT, TSS with interrupt stacks, IDT
void require_features();                             // names what is missing, exits MachineUnfit
[[nodiscard]] const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address);
// Final page tables, W^X for each section, the direct map; NX, WP, SMEP, SMAP, UMIP switched on.
void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames);
void check_write_xor_execute();                      // walks all mappings, panics on a bad one
void start_extended_state();                         // FXSAVE, or XSAVE with every component
void start_interrupts();                             // 8259 masked, local APIC
void start_clock();                                  // TSC and APIC timer calibrated, bounded waits

// A line about what was found: the clock's source.
void describe_machine(void (*line)(std::string_view text));

// Monotonic, since kernel entry; the time that start_clock() took is left out.
[[nodiscard]] reprise::Nanoseconds now();
[[nodiscard]] std::uint64_t entropy();               // RDSEED, RDRAND, else a mixed time stamp
[[nodiscard]] std::uint64_t hardware_capabilities(); // AT_HWCAP: CPUID 1 EDX
[[nodiscard]] std::uint64_t time_stamp();            // of now(), in ticks: for stand_in()

// On the serial line, \n as \r\n; polled. What cannot be written in bounded time is lost.
void write_emergency(std::string_view text);

[[noreturn]] void exit_machine(reprise::ExitCode code);  // isa-debug-exit, else halts for ever
[[noreturn]] void halt_machine();
[[noreturn]] void reset_processor();  // by a triple fault: most machines restart then

}  // namespace arch
