// A broken invariant of the loader ends its own process only.
#include "kernel/base/assert.hpp"
#include "user/linux/log.hpp"
#include "user/linux/native.hpp"

void reprise::panic_at(const char* file, int line, const char* what) {
  personality::Line() << "broken invariant: " << what << " (" << file << ":"
                      << static_cast<std::uint64_t>(line) << ")";
  personality::native::exit(127);
}
