// Segments, traps and this CPU's own data.
#pragma once

namespace arch {

// Loads GDT, TSS with its trap stacks, IDT, and the GS base by which the kernel finds its data of
// this CPU. A fault before this call resets the machine.
void load_descriptor_tables();

}  // namespace arch
