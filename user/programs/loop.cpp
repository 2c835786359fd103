// loop [calls]: never ends. Without an argument it computes, and only a watchdog or a time limit
// can stop it. With "calls" it makes endless system calls.
#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  const bool calling = user::text_argument(argc, argv, 1) == "calls";
  user::print("loop: begins\n");
  for (;;) {
    if (calling) user::yield();
    asm volatile("");  // an endless loop without any effect would be undefined
  }
}
