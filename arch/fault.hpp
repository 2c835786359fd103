// What an exception says about the program, in words. Vectors and the bits of error codes are known
// to arch alone: the kernel asks here, for a fresh trap and for an exception that was committed.
#pragma once

#include <cstdint>

namespace arch {

enum class FaultKind : std::uint8_t {
  WriteProtected,     // write to a page that is present and read-only now
  Absent,             // read or write of a page that is not present
  Fetch,              // execution of a page that is not present or not executable
  OtherPageFault,     // read of a kernel page, and what should not happen
  GeneralProtection,  // #GP with error code 0: perhaps an instruction that ring 3 may not execute
  Other,              // any other exception
};

[[nodiscard]] FaultKind classify(std::uint64_t vector, std::uint64_t error_code);

}  // namespace arch
