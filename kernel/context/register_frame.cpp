#include "kernel/context/register_frame.hpp"

#include "arch/guest_state.hpp"
#include "arch/user_state.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t always_set = 0x202;  // IF and bit 1

// Both begin with the same words.
constexpr std::size_t guest_general_bytes = offsetof(reprise_guest_state, es);
constexpr std::size_t guest_own_bytes = sizeof(reprise_guest_state) - guest_general_bytes;
static_assert(guest_general_bytes == register_frame_bytes);
static_assert(guest_own_bytes == 8 * static_cast<std::size_t>(arch::GuestWord::count));

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

reprise_guest_state guest_registers(const arch::UserState& state) {
  reprise_guest_state registers{};
  __builtin_memcpy(&registers, state.general.data(), guest_general_bytes);
  __builtin_memcpy(&registers.es, state.guest.data(), guest_own_bytes);
  return registers;
}

void set_guest_registers(arch::UserState& state, const reprise_guest_state& registers) {
  __builtin_memcpy(state.general.data(), &registers, guest_general_bytes);
  __builtin_memcpy(state.guest.data(), &registers.es, guest_own_bytes);
}

}  // namespace reprise
