#include "arch/x86_64/board.hpp"

namespace arch {

constinit x86::Board x86::board{};

}  // namespace arch
