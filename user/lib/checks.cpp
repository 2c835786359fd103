// See checks.hpp.
#include "user/lib/checks.hpp"

#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"

void user::check_failed(const char* file, int line, const char* condition) {
  print(file, ":", line, ": does not hold: ", condition, "\n");
  exit(1);
}
