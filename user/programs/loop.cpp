// loop [calls]: never ends: without an argument in computation that only a watchdog or a time
// limit can stop; with "calls" in endless system calls.
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
