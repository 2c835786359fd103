// turns COUNT [EVERY]: COUNT PEs that print one line each, its own name; after every EVERY of them
// it yields. The console then shows in which order processes had their turns.
#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  const std::uint64_t count = user::number_argument(argc, argv, 1, 10);
  const std::uint64_t every = user::number_argument(argc, argv, 2, count + 1);
  user::Line line;
  line.add(argv[0]);
  line.add('\n');
  for (std::uint64_t i = 1; i <= count; ++i) {
    user::log(line.text());
    if (i % every == 0) user::yield();
  }
  return 0;
}
