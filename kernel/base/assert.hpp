// Checks of the kernel's own invariants. Release builds have them, too: a kernel that protects
// programs from silent corruption must not go on in a state that it knows to be wrong. User input
// is never checked by them.
#pragma once

namespace reprise {

// Reports the place and the broken invariant, and ends the machine. In host tests it aborts.
[[noreturn]] void panic_at(const char* file, int line, const char* what);

}  // namespace reprise

#define REPRISE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::reprise::panic_at(__FILE__, __LINE__, #condition))
#define REPRISE_PANIC(what) ::reprise::panic_at(__FILE__, __LINE__, (what))
