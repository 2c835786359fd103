// What the compiler calls when a promise of the language is broken.
#include "kernel/base/assert.hpp"

extern "C" [[noreturn]] void __cxa_pure_virtual() {
  REPRISE_PANIC("a pure virtual function was called");
}
