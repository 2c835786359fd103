// clockcheck: clocks never go back, a sleep lasts at least as long as asked, and RDTSC (handed out
// by the kernel, outside both runs) grows with the monotonic clock.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/drivers.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"

namespace {

constexpr int readings = 100;
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t millisecond = 1'000'000;

void check_monotonic_clock() {
  std::int64_t last = user::time();
  REPRISE_CHECK(last >= 0);
  for (int i = 0; i < readings; ++i) {
    const std::int64_t now = user::time();
    REPRISE_CHECK(now >= last);
    last = now;
  }
}

void check_sleep() {
  const std::int64_t before = user::time();
  const std::int64_t wake = before + 20 * millisecond;
  REPRISE_CHECK(user::sleep_until(static_cast<std::uint64_t>(wake)) == 0);
  REPRISE_CHECK(user::time() >= wake);
  REPRISE_CHECK(user::sleep_until(0) == 0);  // the past: returns at once
}

void check_wall_clock() {
  const std::uint64_t before = user::wall_clock();
  const std::uint64_t year = 365 * 24 * 3600 * second;
  REPRISE_CHECK(before > 50 * year && before < 200 * year);  // later than 2019
  REPRISE_CHECK(user::wall_clock() >= before);
}

void check_time_stamps() {
  std::uint64_t last = user::time_stamp();
  for (int i = 0; i < readings; ++i) {
    const std::uint64_t now = user::time_stamp();
    REPRISE_CHECK(now > last);
    last = now;
  }
  const std::uint64_t before = user::time_stamp();
  user::sleep_until(static_cast<std::uint64_t>(user::time() + 5 * millisecond));
  REPRISE_CHECK(user::time_stamp() - before > 100'000);  // a counter slower than 20 MHz is none
}

}  // namespace

int main(int, char**) {
  check_monotonic_clock();
  check_sleep();
  check_wall_clock();
  check_time_stamps();
  user::print("clockcheck: ", readings, " readings of each clock, none went back\n");
  return 0;
}
