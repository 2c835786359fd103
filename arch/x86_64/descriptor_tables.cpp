// GDT, TSS and IDT (Intel SDM Vol. 3A §3.4.5, §6.14, §8.7): flat segments, one task, 256 gates that
// all lead to traps.asm. Everything that comes from ring 3 arrives on a small stack that is only
// used to take over the registers; four exceptions that can hit the kernel in any state have stacks
// of their own.
#include "arch/descriptor_tables.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"

extern "C" {
extern const char trap_stubs[arch::x86::vectors][arch::x86::trap_stub_bytes];
void reload_code_segment();
}

namespace arch {

using namespace x86;

namespace {

// Access bytes: 9b/fb code of ring 0/3, 93/f3 data, all marked accessed; 20 in the flags is 64-bit
// code. The last two words are the TSS descriptor.
constexpr std::array<std::uint64_t, 7> flat_segments{0, 0x00209b0000000000, 0x0000930000000000,
                                                     0x0000f30000000000, 0x0020fb0000000000};

// An interrupt gate: interrupts go off. INT3 is for all; any other INT from ring 3 is a #GP.
Gate gate_for(std::size_t vector) {
  const auto offset = reinterpret_cast<std::uint64_t>(trap_stubs[vector]);
  const std::uint64_t privilege = vector == breakpoint_vector ? 3 : 0;
  const std::uint64_t stack = own_stack(vector);
  return {(offset & 0xffff) | std::uint64_t{kernel_code_selector} << 16 | stack << 32 |
              0x8e0000000000 | privilege << 45 | (offset >> 16 & 0xffff) << 48,
          offset >> 32};
}

void describe_task(PerCpu& cpu) {
  const auto base = reinterpret_cast<std::uint64_t>(&cpu.task);
  constexpr std::size_t index = task_selector / 8;
  cpu.gdt[index] =
      (sizeof(cpu.task) - 1) | (base & 0xffffff) << 16 | 0x890000000000 | (base >> 24 & 0xff) << 56;
  cpu.gdt[index + 1] = base >> 32;
  for (TrapStack& stack : cpu.trap_stacks) stack.owner = &cpu;
  cpu.task.rsp[0] = cpu.trap_stacks[0].top();
  for (std::size_t i = 1; i < cpu.trap_stacks.size(); ++i) {
    cpu.task.ist[i - 1] = cpu.trap_stacks[i].top();
  }
  cpu.task.io_map_base = sizeof(cpu.task);  // behind the limit: no port is granted to ring 3
}

void load_segments(PerCpu& cpu) {
  lgdt({sizeof(cpu.gdt) - 1, reinterpret_cast<std::uint64_t>(cpu.gdt.data())});
  reload_code_segment();
  write_ss(kernel_data_selector);
  write_ds(0);
  write_es(0);
  write_fs(0);
  write_gs(0);  // changes the base, so before it
  write_msr(Msr::GsBase, reinterpret_cast<std::uint64_t>(&cpu));
  lldt(0);
  ltr(task_selector);
}

}  // namespace

void load_descriptor_tables() {
  PerCpu& cpu = boot_cpu;
  cpu.self = &cpu;
  cpu.gdt = flat_segments;
  describe_task(cpu);
  load_segments(cpu);
  for (std::size_t vector = 0; vector < vectors; ++vector) board.idt[vector] = gate_for(vector);
  lidt({sizeof(board.idt) - 1, reinterpret_cast<std::uint64_t>(board.idt.data())});
}

}  // namespace arch
