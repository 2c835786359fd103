// GDT, TSS and IDT (Intel SDM Vol. 3A §3.4.5, §6.14, §8.7): flat segments, one task, 256 gates that
// all lead to traps.asm. Everything that comes from ring 3 arrives on a small stack that is only
// used to take over the registers; four exceptions that can hit the kernel in any state have stacks
// of their own.
#include <array>

#include "arch/machine.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"

extern "C" {
extern const char trap_stubs[arch::x86::vectors][arch::x86::trap_stub_bytes];
void reload_code_segment();
}

namespace arch {
namespace {

using namespace x86;

// The words of a TSS stand 4 bytes off their natural place.
struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t rsp[3], reserved1, ist[7], reserved2;
  std::uint16_t reserved3, io_map_base;
};
static_assert(sizeof(TaskState) == 104);

struct Gate {
  std::uint64_t low, high;
};

// Stack 0 is for entries from ring 3, the others are numbered as a gate's IST field counts.
constexpr std::uint8_t own_stacks[] = {0, nmi_vector, double_fault_vector, machine_check_vector,
                                       debug_vector};
struct alignas(16) TrapStack {
  std::byte bytes[4096];
  [[nodiscard]] std::uint64_t top() const { return reinterpret_cast<std::uint64_t>(this + 1); }
};

// Access bytes: 9b/fb code of ring 0/3, 93/f3 data, all marked accessed; 20 in the flags is 64-bit
// code. The last two words are the TSS descriptor.
constinit std::array<std::uint64_t, 7> gdt{0, 0x00209b0000000000, 0x0000930000000000,
                                           0x0000f30000000000, 0x0020fb0000000000};
constinit TaskState task{};
constinit std::array<Gate, vectors> idt{};
constinit std::array<TrapStack, std::size(own_stacks)> trap_stacks{};

// An interrupt gate: interrupts go off. INT3 is for all; any other INT from ring 3 is a #GP.
Gate gate_for(std::size_t vector) {
  const auto offset = reinterpret_cast<std::uint64_t>(trap_stubs[vector]);
  const std::uint64_t privilege = vector == breakpoint_vector ? 3 : 0;
  std::uint64_t stack = std::size(own_stacks) - 1;
  while (stack != 0 && own_stacks[stack] != vector) --stack;
  return {(offset & 0xffff) | std::uint64_t{kernel_code_selector} << 16 | stack << 32 |
              0x8e0000000000 | privilege << 45 | (offset >> 16 & 0xffff) << 48,
          offset >> 32};
}

void describe_task() {
  const auto base = reinterpret_cast<std::uint64_t>(&task);
  constexpr std::size_t index = task_selector / 8;
  gdt[index] =
      (sizeof(task) - 1) | (base & 0xffffff) << 16 | 0x890000000000 | (base >> 24 & 0xff) << 56;
  gdt[index + 1] = base >> 32;
  task.rsp[0] = trap_stacks[0].top();
  for (std::size_t i = 1; i < trap_stacks.size(); ++i) task.ist[i - 1] = trap_stacks[i].top();
  task.io_map_base = sizeof(task);  // behind the limit: no port is granted to ring 3
}

}  // namespace

void load_descriptor_tables() {
  describe_task();
  for (std::size_t vector = 0; vector < vectors; ++vector) idt[vector] = gate_for(vector);
  lgdt({sizeof(gdt) - 1, reinterpret_cast<std::uint64_t>(gdt.data())});
  reload_code_segment();
  write_ss(kernel_data_selector);
  for (auto* write : {write_ds, write_es, write_fs, write_gs}) write(0);
  lldt(0);
  ltr(task_selector);
  lidt({sizeof(idt) - 1, reinterpret_cast<std::uint64_t>(idt.data())});
}

}  // namespace arch
