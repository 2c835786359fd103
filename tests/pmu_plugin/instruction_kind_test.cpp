// Encodings against the kinds that the counting tells apart.
#include "instruction_kind.hpp"

#include <vector>

#include "tests/catch.hpp"

using pmu::Kind;

TEST_CASE("an instruction's bytes tell its kind") {
  struct Example {
    std::vector<std::uint8_t> bytes;
    Kind kind;
  };
  const Example example = GENERATE(values<Example>({
      {{0x90}, Kind::Plain},
      {{0xf3, 0x90}, Kind::Plain},                 // PAUSE
      {{0xeb, 0xfe}, Kind::Transfer},              // JMP to itself
      {{0xe2, 0xfe}, Kind::Transfer},              // LOOP
      {{0x75, 0x00}, Kind::Transfer},              // JNE short
      {{0x0f, 0x85, 0, 0, 0, 0}, Kind::Transfer},  // JNE near
      {{0xf2, 0xe8, 0, 0, 0, 0}, Kind::Transfer},  // CALL with BND
      {{0xff, 0x27}, Kind::Transfer},              // JMP [RDI]
      {{0x41, 0xff, 0xd7}, Kind::Transfer},        // CALL R15
      {{0xff, 0x07}, Kind::Plain},                 // INC [RDI]
      {{0xff, 0x37}, Kind::Plain},                 // PUSH [RDI]
      {{0xf3, 0xc3}, Kind::Transfer},              // RET with REP
      {{0x0f, 0x05}, Kind::SystemCall},
      {{0xf3, 0xaa}, Kind::Repeat},             // REP STOSB
      {{0xf3, 0x48, 0xa5}, Kind::Repeat},       // REP MOVSQ
      {{0x66, 0xf2, 0xaf}, Kind::Repeat},       // REPNE SCASW
      {{0x48, 0xa5}, Kind::Plain},              // MOVSQ, once
      {{0xf3, 0x0f, 0x10, 0xc1}, Kind::Plain},  // MOVSS
      {{0x0f, 0x30}, Kind::WriteMsr},
      {{0x0f, 0x32}, Kind::ReadMsr},
      {{0x0f, 0x0b}, Kind::Plain},  // UD2: an exception is no jump
      {{0xf3}, Kind::Plain},
      {{}, Kind::Plain},
  }));
  CHECK(pmu::classify(example.bytes) == example.kind);
}
