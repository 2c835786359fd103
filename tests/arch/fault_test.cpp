// Which words the bits of an error code become (Intel SDM Vol. 3A §4.7).
#include "arch/fault.hpp"

#include "tests/catch.hpp"

using arch::classify;
using arch::FaultKind;

namespace {

constexpr std::uint64_t page_fault = 14, protection = 13;
constexpr std::uint64_t present = 1, writing = 2, user = 4, reserved = 8, fetch = 16, key = 32,
                        shadow_stack = 64;

}  // namespace

TEST_CASE("a page fault is a write to what is protected, an absent page, a fetch, or odd") {
  const struct {
    std::uint64_t code;
    FaultKind kind;
  } cases[] = {
      {user, FaultKind::Absent},
      {user | writing, FaultKind::Absent},
      {user | fetch, FaultKind::Fetch},
      {user | fetch | present, FaultKind::Fetch},
      {user | present | writing, FaultKind::WriteProtected},
      {present | writing, FaultKind::WriteProtected},
      {user | present, FaultKind::OtherPageFault},
      {user | present | writing | reserved, FaultKind::OtherPageFault},
      {user | present | writing | key, FaultKind::OtherPageFault},
      {user | present | writing | shadow_stack, FaultKind::OtherPageFault},
  };
  for (const auto& c : cases) {
    INFO(c.code);
    CHECK(classify(page_fault, c.code) == c.kind);
  }
}

TEST_CASE("a general protection without a selector may be a trapped instruction") {
  CHECK(classify(protection, 0) == FaultKind::GeneralProtection);
  CHECK(classify(protection, 0x18) == FaultKind::Other);
}

TEST_CASE("no other vector has words of its own, whatever its error code is") {
  for (std::uint64_t vector = 0; vector < 256; ++vector) {
    if (vector == page_fault || vector == protection) continue;
    INFO(vector);
    CHECK(classify(vector, 0) == FaultKind::Other);
    CHECK(classify(vector, user | present | writing) == FaultKind::Other);
  }
}
