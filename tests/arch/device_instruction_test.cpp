#include "arch/device_instruction.hpp"
#include "arch/user_state.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using arch::Register;

namespace {

struct Instruction {
  std::vector<std::uint8_t> code;
  std::uint64_t rdx;
};

std::optional<std::pair<unsigned, unsigned>> ports(const Instruction& instruction) {
  arch::UserState state;
  state[Register::Rdx] = instruction.rdx;
  const auto range = arch::ports_reached(instruction.code, state);
  if (!range) return std::nullopt;
  return std::pair{unsigned{range->first}, unsigned{range->last}};
}

std::optional<std::pair<unsigned, unsigned>> range(unsigned first, unsigned last) {
  return std::pair{first, last};
}

}  // namespace

TEST_CASE("the ports of IN and OUT are those of the number or of DX, as wide as the operand") {
  CHECK(ports({{0xe4, 0x60}, 0x3f8}) == range(0x60, 0x60));
  CHECK(ports({{0xe7, 0x60}, 0x3f8}) == range(0x60, 0x63));
  CHECK(ports({{0x66, 0xe5, 0x60}, 0x3f8}) == range(0x60, 0x61));
  CHECK(ports({{0xec}, 0x3f8}) == range(0x3f8, 0x3f8));
  CHECK(ports({{0xef}, 0xffff03f8}) == range(0x3f8, 0x3fb));
  CHECK(ports({{0x66, 0xef}, 0x3f8}) == range(0x3f8, 0x3f9));
  CHECK(ports({{0x66, 0x48, 0xef}, 0x3f8}) == range(0x3f8, 0x3fb));  // REX.W has precedence
  CHECK(ports({{0x48, 0x66, 0xef}, 0x3f8}) == range(0x3f8, 0x3f9));  // but as the last prefix only
}

TEST_CASE("INS and OUTS reach DX, whatever stands before them") {
  CHECK(ports({{0xf3, 0x6e}, 0x80}) == range(0x80, 0x80));
  CHECK(ports({{0x67, 0xf2, 0x66, 0x6d}, 0x80}) == range(0x80, 0x81));
  CHECK(ports({{0xf3, 0x48, 0x6f}, 0x80}) == range(0x80, 0x83));
  CHECK(ports({{0x64, 0x6e}, 0x80}) == range(0x80, 0x80));
}

TEST_CASE("no port is reached behind the last one, by other instructions, by none") {
  CHECK_FALSE(ports({{0xed}, 0xfffd}));
  CHECK(ports({{0xec}, 0xffff}));
  CHECK_FALSE(ports({{0x0f, 0x31}, 0x80}));
  CHECK_FALSE(ports({{0xf4}, 0x80}));
  CHECK_FALSE(ports({{}, 0x80}));
  CHECK_FALSE(ports({{0x66, 0xf3}, 0x80}));
}

TEST_CASE("INS, MOVS, and PUSH and CALL from memory store beside what they read") {
  arch::UserState state;
  state[Register::Rdi] = 0x1000;
  state[Register::Rsp] = 0x2000;
  const auto place = [&](std::vector<std::uint8_t> code) { return arch::stores_to(code, state); };
  using reprise::UserAddr;
  CHECK(place({0xf3, 0xa4}) == UserAddr{0x1000});
  CHECK(place({0x48, 0xa5}) == UserAddr{0x1000});
  CHECK(place({0x6c}) == UserAddr{0x1000});
  CHECK(place({0xff, 0x30}) == UserAddr{0x1ff8});
  CHECK(place({0xff, 0x10}) == UserAddr{0x1ff8});
  CHECK_FALSE(place({0xff, 0x00}));  // INC
  CHECK_FALSE(place({0x89, 0x07}));
  CHECK_FALSE(place({0xf3, 0x6e}));  // OUTS only reads
  CHECK_FALSE(place({}));
}
