// Invariants of the kernel itself. They stay on in release: a kernel that protects others from
// silent corruption must not run on in a state it knows to be wrong. Never used for user input.
#pragma once

namespace reprise {

// Ends the machine with the place and the broken invariant (host tests: aborts).
[[noreturn]] void panic_at(const char* file, int line, const char* what);

}  // namespace reprise

#define REPRISE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::reprise::panic_at(__FILE__, __LINE__, #condition))
#define REPRISE_PANIC(what) ::reprise::panic_at(__FILE__, __LINE__, (what))
