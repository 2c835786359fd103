// countdown [COUNT]: a PE that begins at a countdown from COUNT (1000) in RBX: after one flip in a
// high bit there it would last for years. The watchdog ends it.
#include "kernel/abi/reprise.h"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  std::uint64_t left = user::number_argument(argc, argv, 1, 1000);
  std::uint64_t call = REPRISE_SELF;  // the first PE ends here, the next begins behind it
  asm volatile("syscall; 1: decq %0; jnz 1b" : "+b"(left), "+a"(call) : : "rcx", "r11", "cc");
  user::print("countdown: ", left, " left\n");
  return 0;
}
