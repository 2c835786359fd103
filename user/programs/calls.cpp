// calls [ROUNDS]: many short processing elements. Each round makes ten system calls of all kinds
// and checks what they did.
#include "user/lib/calls.hpp"

#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;

void check_round(std::uint64_t round, std::uint64_t address, std::int64_t self) {
  REPRISE_CHECK(user::self() == self);
  REPRISE_CHECK(user::map(address, 2 * REPRISE_PAGE_SIZE, read_write) == 0);
  auto* words = reinterpret_cast<volatile std::uint64_t*>(address);
  REPRISE_CHECK(words[0] == 0 && words[1023] == 0);
  words[0] = round;
  words[1023] = ~round;
  REPRISE_CHECK(user::yield() == 0);
  REPRISE_CHECK(words[0] == round && words[1023] == ~round);
  REPRISE_CHECK(user::protect(address, 2 * REPRISE_PAGE_SIZE, REPRISE_PROTECT_READ) == 0);
  REPRISE_CHECK(words[0] == round && words[1023] == ~round);
  REPRISE_CHECK(user::map(address, REPRISE_PAGE_SIZE, read_write) == -REPRISE_OCCUPIED);
  REPRISE_CHECK(user::map(address, REPRISE_PAGE_SIZE, read_write, REPRISE_MAP_REPLACE) == 0);
  REPRISE_CHECK(words[0] == 0 && words[1023] == ~round);
  REPRISE_CHECK(user::unmap(address, 2 * REPRISE_PAGE_SIZE) == 0);
  REPRISE_CHECK(user::unmap(address, 2 * REPRISE_PAGE_SIZE) == 0);  // a hole is fine
  REPRISE_CHECK(user::entropy() >= 0);
  REPRISE_CHECK(user::time() >= 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 100);
  const std::uint64_t address = user::start_information().map_low;
  const std::int64_t self = user::self();
  REPRISE_CHECK(self >= 1);
  for (std::uint64_t round = 1; round <= rounds; ++round) check_round(round, address, self);
  user::print("calls: ", rounds, " rounds of 10 calls\n");
  return 0;
}
