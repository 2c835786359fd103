// On the host a broken invariant ends the test program.
#include <cstdio>
#include <cstdlib>

#include "kernel/base/assert.hpp"

void reprise::panic_at(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
  std::abort();
}
