#include "kernel/context/register_frame.hpp"

#include "arch/user_state.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t always_set = 0x202;  // IF and bit 1

}  // namespace

reprise_frame register_frame(const arch::UserState& state) {
  reprise_frame frame{};
  __builtin_memcpy(&frame, state.general.data(), register_frame_bytes);
  return frame;
}

void set_registers(arch::UserState& state, const reprise_frame& frame) {
  __builtin_memcpy(state.general.data(), &frame, register_frame_bytes);
  std::uint64_t& flags = state[arch::Register::Rflags];
  flags = (flags & REPRISE_USER_FLAGS) | always_set;
}

}  // namespace reprise
