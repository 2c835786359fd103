// For tests that run no guest.
#include <stdexcept>

#include "arch/x86_64/guest.hpp"

arch::Trap arch::x86::run_guest(UserState&) { throw std::logic_error("a guest runs"); }
void arch::x86::save_guest(UserState&) { throw std::logic_error("a guest is saved"); }
void arch::x86::load_guest(const UserState&) { throw std::logic_error("a guest is loaded"); }
