// What an instruction that reaches a device does beside: as little of its decoding as the kernel
// needs to let it go.
#include "arch/device_instruction.hpp"

#include "arch/x86_64/opcode.hpp"

namespace arch {

using namespace x86;

std::optional<PortRange> ports_reached(std::span<const std::uint8_t> code, const UserState& state) {
  const Opcode opcode = opcode_of(code);
  auto port = static_cast<std::uint16_t>(state[Register::Rdx]);
  switch (opcode.code & 0xfe) {
    case 0xe4:
    case 0xe6: port = opcode.next; break;  // IN, OUT with the number
    case 0xec:
    case 0xee:
    case 0x6c:
    case 0x6e: break;  // with DX; INS, OUTS
    default: return std::nullopt;
  }
  const unsigned bytes = (opcode.code & 1) == 0 ? 1 : opcode.narrow_data ? 2 : 4;
  const unsigned last = port + bytes - 1;
  if (last > 0xffff) return std::nullopt;
  return PortRange{port, static_cast<std::uint16_t>(last)};
}

std::optional<reprise::UserAddr> stores_to(std::span<const std::uint8_t> code,
                                           const UserState& state) {
  const Opcode opcode = opcode_of(code);
  switch (opcode.code) {
    case 0x6c:
    case 0x6d:
    case 0xa4:
    case 0xa5:
      return reprise::UserAddr{state[Register::Rdi] & (opcode.narrow_address ? 0xffffffff : ~0ull)};
    case 0xff: {
      const unsigned operation = opcode.next >> 3 & 7;
      if (operation != 2 && operation != 6) return std::nullopt;  // CALL, PUSH
      return reprise::UserAddr{state[Register::Rsp] - 8};
    }
    default: return std::nullopt;
  }
}

}  // namespace arch
