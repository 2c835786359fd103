// Native calls of Reprise, typed. Each ends the processing element, so the personality makes one
// only when something leaves or enters the process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/abi/reprise.h"

extern "C" std::int64_t reprise_system_call(std::uint64_t number, std::uint64_t a = 0,
                                            std::uint64_t b = 0, std::uint64_t c = 0,
                                            std::uint64_t d = 0, std::uint64_t e = 0);

namespace personality::native {

using Result = std::int64_t;  // a negative enum reprise_error, or what the call returns

inline Result map(std::uint64_t address, std::uint64_t bytes, unsigned protection,
                  unsigned flags = 0) {
  return reprise_system_call(REPRISE_MAP, address, bytes, protection, flags);
}
inline Result unmap(std::uint64_t address, std::uint64_t bytes) {
  return reprise_system_call(REPRISE_UNMAP, address, bytes);
}
inline Result protect(std::uint64_t address, std::uint64_t bytes, unsigned protection) {
  return reprise_system_call(REPRISE_PROTECT, address, bytes, protection);
}
inline Result log(std::uint64_t text, std::uint64_t bytes) {
  return reprise_system_call(REPRISE_LOG, text, bytes);
}
inline std::uint64_t time() {
  return static_cast<std::uint64_t>(reprise_system_call(REPRISE_TIME));
}
inline void sleep_until(std::uint64_t nanoseconds) {
  reprise_system_call(REPRISE_SLEEP, nanoseconds);
}
// An exception of REPRISE_INTERRUPT_VECTOR then; ~0: none.
inline void interrupt_at(std::uint64_t nanoseconds) {
  reprise_system_call(REPRISE_INTERRUPT, nanoseconds);
}
inline std::uint64_t usage(reprise_usage figure) {
  return static_cast<std::uint64_t>(reprise_system_call(REPRISE_USAGE, figure));
}
inline void yield() { reprise_system_call(REPRISE_YIELD); }
inline std::uint64_t entropy() {
  return static_cast<std::uint64_t>(reprise_system_call(REPRISE_ENTROPY));
}
inline Result set_base(unsigned which, std::uint64_t address) {
  return reprise_system_call(REPRISE_SET_BASE, which, address);
}
[[noreturn]] inline void exit(int status) {
  for (;;) reprise_system_call(REPRISE_EXIT, static_cast<std::uint64_t>(status & 0xff));
}

}  // namespace personality::native
