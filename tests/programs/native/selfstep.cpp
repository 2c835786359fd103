// selfstep [ROUNDS]: single-steps itself over the same code in each round and counts its traps.
// Halfway it runs through that code for long without, so that the time limit ends PEs there.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/exceptions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constinit volatile std::uint64_t traps = 0, others = 0;

void handle(reprise_frame& frame) {
  volatile std::uint64_t& count = frame.vector == 1 ? traps : others;
  count = count + 1;
}

}  // namespace

// Sets the flags given, loops `steps` times, and clears the trap flag.
extern "C" void piece(std::uint64_t flags, std::uint64_t steps);
asm(R"(
.global piece
piece:
  pushf
  or %rdi, (%rsp)
  popf
  nop
1: add $3, %rax
  dec %rsi
  jnz 1b
  pushf
  andq $~0x100, (%rsp)
  popf
  ret
)");

int main(int argc, char** argv) {
  constexpr std::uint64_t trap_flag = 0x100;
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 20);
  user::handle_exceptions(handle);
  std::uint64_t last = 0, odd = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (i == rounds / 2) piece(0, 100'000);
    traps = 0;
    piece(trap_flag, 40);
    if (i != 0 && traps != last) ++odd;
    last = traps;
  }
  user::stop_handling_exceptions();
  user::print("selfstep: traps ", last, " odd ", odd, " others ", others, "\n");
  return odd != 0 || others != 0;
}
