// The guest's side of run_user(), save_rest() and load_rest(): guest.cpp and guest_state.cpp.
#pragma once

#include "arch/run_user.hpp"
#include "arch/user_state.hpp"

namespace arch::x86 {

// As run_user(), save_rest() and load_rest() for a state that has a virtual CPU. The extended state
// is not looked at.
[[nodiscard]] Trap run_guest(UserState& state);
void save_guest(UserState& state);
void load_guest(const UserState& state);

// Between the words that traps save and the control block.
void put_trap_words(const UserState& state);
void take_trap_words(UserState& state);

}  // namespace arch::x86
