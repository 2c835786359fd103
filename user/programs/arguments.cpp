// arguments [STATUS ...]: prints the arguments and the environment, and checks the initial stack.
// Ends with STATUS (0).
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t header_table = 3;  // AT_PHDR ..., System V ABI
constexpr std::uint64_t page_bytes = 6;
constexpr std::uint64_t entry_point = 9;
constexpr std::uint64_t random_bytes = 25;

}  // namespace

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) user::print("arguments: argv[", i, "]=\"", argv[i], "\"\n");
  for (char** variable = user::environment(); *variable != nullptr; ++variable)
    user::print("arguments: environment ", *variable, "\n");

  const reprise_start& start = user::start_information();
  const auto here = reinterpret_cast<std::uint64_t>(&argc);
  REPRISE_CHECK(argv[argc] == nullptr);
  REPRISE_CHECK(start.process == static_cast<std::uint64_t>(user::self()));
  REPRISE_CHECK(start.program_entry == 0);
  REPRISE_CHECK(here >= start.stack_low && here < start.stack_high);
  REPRISE_CHECK(start.map_low < start.map_high);
  REPRISE_CHECK(start.program_break % REPRISE_PAGE_SIZE == 0);
  REPRISE_CHECK(user::auxiliary(header_table) == 0x400040);
  REPRISE_CHECK(user::auxiliary(page_bytes) == REPRISE_PAGE_SIZE);
  REPRISE_CHECK(user::auxiliary(entry_point) >= 0x400000);
  REPRISE_CHECK(user::auxiliary(random_bytes) != 0);
  user::print("arguments: ", argc, " arguments, start information right\n");
  return static_cast<int>(user::number_argument(argc, argv, 1, 0));
}
