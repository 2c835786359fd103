// Where time begins.
#pragma once

namespace arch::x86 {

void note_kernel_entry();  // now() counts from here

}  // namespace arch::x86
