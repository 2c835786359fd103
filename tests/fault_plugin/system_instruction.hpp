// Instructions after which the processor reads memory in a new way, without an instruction that
// names it: page tables, descriptors, a guest's state. Knows nothing of QEMU.
#pragma once

#include <cstdint>
#include <span>

namespace fault {

enum class SystemInstruction {
  No,
  Control,     // MOV to a control register: other page tables
  Structures,  // LGDT, LIDT, LLDT, LTR: other descriptors. VMRUN, VMLOAD, VMSAVE, SKINIT, RSM
};

[[nodiscard]] SystemInstruction kind_of(std::span<const std::uint8_t> instruction);

}  // namespace fault
