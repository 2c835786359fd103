// What the PMU model needs and the plugin interface of QEMU 7.2 lacks: the guest's registers and
// memory, its local APIC, and a way to act between two translation blocks. All calls go through
// functions that the QEMU binary happens to export. They are no interface, so attach() checks
// the version and looks each symbol up by name first. Each comment says when the call is allowed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace qemu {

// Register numbers as QEMU's gdb stub counts them for x86-64.
enum class Register : int { Rax = 0, Rcx = 2, Rdx = 3, Rsp = 7, Rip = 16, Cs = 18, Ss = 19 };

enum class LvtMode : std::uint32_t { Fixed = 0, Smi = 2, Nmi = 4 };

// IA32 local vector table entry (Intel SDM Vol. 3A §11.5.1).
struct LvtEntry {
  std::uint32_t raw = 0;
  static constexpr std::uint32_t kMasked = 1u << 16;
  [[nodiscard]] std::uint8_t vector() const { return static_cast<std::uint8_t>(raw); }
  [[nodiscard]] LvtMode mode() const { return static_cast<LvtMode>(raw >> 8 & 7); }
  [[nodiscard]] bool masked() const { return (raw & kMasked) != 0; }
};

// Finds every symbol and checks the version. Says on stderr what is wrong. Call it first.
[[nodiscard]] bool attach();
// Binds to the first virtual CPU. Call it when that CPU has started, or later. False, with a
// message on stderr: TCG does not run the CPU.
[[nodiscard]] bool bind_cpu();

// Call these on the CPU's thread, when all guest registers are in memory: at the start of a
// translation block, during translation, after RDMSR and WRMSR, or in a function given to later().
std::uint64_t read_register(Register which);
void write_register(Register which, std::uint64_t value);
// CPL of the code that runs or is being translated.
unsigned current_ring();
[[nodiscard]] bool read_memory(std::uint64_t address, std::span<std::uint64_t> words);

// Runs `work` on the CPU's thread as soon as the current translation block has ended.
void later(void (*work)());
// Runs `handler` at each reset of the machine.
void on_reset(void (*handler)());

// Only in a function given to later().
LvtEntry read_lvtpc();
void write_lvtpc(LvtEntry entry);
void deliver(LvtEntry entry);

}  // namespace qemu
