// What an instruction that reaches a device does beside: as little of its decoding as the kernel
// needs to let it go.
#include "arch/device_access.hpp"
#include "arch/x86_64/prefixes.hpp"

namespace arch {

using namespace x86;

namespace {

struct Opcode {
  std::uint8_t code = 0, next = 0;
  bool narrow_data = false;  // 16 bits
};

std::optional<Opcode> opcode_of(std::span<const std::uint8_t> code) {
  Opcode opcode;
  bool narrow = false, wide = false;
  for (std::size_t at = 0; at < code.size(); ++at) {
    if (is_prefix(code[at])) {
      narrow |= code[at] == 0x66;
      wide = (code[at] & 0xf8) == 0x48;  // REX.W, which only counts as the last prefix
      continue;
    }
    opcode.narrow_data = narrow && !wide;  // Intel SDM Vol. 2A §2.2.1.2
    opcode.code = code[at];
    if (at + 1 < code.size()) opcode.next = code[at + 1];
    return opcode;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PortRange> ports_reached(std::span<const std::uint8_t> code, const UserState& state) {
  const auto opcode = opcode_of(code);
  if (!opcode) return std::nullopt;
  auto port = static_cast<std::uint16_t>(state[Register::Rdx]);
  switch (opcode->code & 0xfe) {
    case 0xe4: case 0xe6: port = opcode->next; break;  // IN, OUT with the number
    case 0xec: case 0xee: case 0x6c: case 0x6e: break;  // with DX; INS, OUTS
    default: return std::nullopt;
  }
  const unsigned bytes = (opcode->code & 1) == 0 ? 1 : opcode->narrow_data ? 2 : 4;
  const unsigned last = port + bytes - 1;
  if (last > 0xffff) return std::nullopt;
  return PortRange{port, static_cast<std::uint16_t>(last)};
}

std::optional<reprise::UserAddr> stores_to(std::span<const std::uint8_t> code,
                                           const UserState& state) {
  const Opcode opcode = opcode_of(code).value_or(Opcode{});
  switch (opcode.code) {
    case 0x6c: case 0x6d: case 0xa4: case 0xa5: return reprise::UserAddr{state[Register::Rdi]};
    case 0xff: {
      const unsigned operation = opcode.next >> 3 & 7;
      if (operation != 2 && operation != 6) return std::nullopt;  // CALL, PUSH
      return reprise::UserAddr{state[Register::Rsp] - 8};
    }
    default: return std::nullopt;
  }
}

}  // namespace arch
