// sleeper COUNT MICROSECONDS: sleeps so long COUNT times, then says how late it woke at worst.

#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  const std::uint64_t count = user::number_argument(argc, argv, 1, 10);
  const auto interval =
      static_cast<std::int64_t>(user::number_argument(argc, argv, 2, 1000) * 1000);
  std::int64_t latest = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t until = user::time() + interval;
    user::sleep_until(static_cast<std::uint64_t>(until));
    const auto late = user::time() - until;
    if (late > latest) latest = late;
  }
  user::print("sleeper: latest_ns=", latest, "\n");
  return 0;
}
