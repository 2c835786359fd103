// The parts of QEMU 7.2 that the plugin needs and the plugin interface lacks: registers, physical
// memory, the virtual clock, timers. All calls go to functions that the QEMU binary exports. They
// are no interface, so attach() checks the version and looks each symbol up by name first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fault.hpp"

namespace qemu {

// Finds every symbol and checks the version. Says on stderr what is wrong. Call it first.
[[nodiscard]] bool attach();
// Binds to the first virtual CPU, once it runs. False, with a message on stderr: it does not run
// under TCG with -icount.
[[nodiscard]] bool bind_cpu();

// Runs `work` on the CPU's thread, between two translation blocks. What follows is for such work
// only.
void between_blocks(void (*work)());

// Under -icount shift=0 the virtual clock counts instructions. While the CPU is halted it counts
// nanoseconds.
[[nodiscard]] std::int64_t clock();
// From an I/O instruction or between two blocks: `work` is done between two blocks, when the clock
// stands at `when` exactly. There are two timers.
enum class Timer { Strike, Limit };
void at_time(Timer timer, std::int64_t when, void (*work)());

[[nodiscard]] fault::Words read_register(const fault::Register& which);
void write_register(const fault::Register& which, const fault::Words& value);
[[nodiscard]] std::uint64_t read_register(const char* name);
[[nodiscard]] unsigned ring();

[[nodiscard]] bool is_memory(std::uint64_t address);
[[nodiscard]] std::uint64_t read_memory(std::uint64_t address);
void write_memory(std::uint64_t address, std::uint64_t value);

// By virtual address; also while a block is being translated.
[[nodiscard]] bool read_code(std::uint64_t address, std::span<std::uint8_t> bytes);
// Where a virtual address is now, by a walk of the page tables; nothing: it is not mapped.
[[nodiscard]] std::optional<std::uint64_t> physical_of(std::uint64_t address);

// Throws all translations away, so that callbacks are asked for anew.
void flush_translations();

// In a callback of a memory access: `access` and `address` are its arguments; another page of the
// same access may be asked for.
struct Place {
  enum class Kind { Memory, Device, Unknown } kind;
  std::uint64_t physical = 0;  // of memory
};
[[nodiscard]] Place place_of(std::uint32_t access, std::uint64_t address);
// False of an access that reads and writes at once.
[[nodiscard]] bool writes_only(std::uint32_t access);

// What the processor reads when it delivers an interrupt: virtual addresses.
struct Structure {
  std::uint64_t base = 0, limit = 0;  // the limit is the last byte's offset
};
struct Structures {
  Structure idt, gdt, task;
};
[[nodiscard]] Structures structures();

}  // namespace qemu
