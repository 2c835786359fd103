// handler: causes faults and handles them itself. Every exception must reach the handler once, with
// the right vector, code and address. Then the program must go on as if it had not happened.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/exceptions.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constinit reprise_frame seen{};  // as at the exception
constinit volatile int handled = 0;
constinit std::uint64_t skip = 0;  // bytes to continue behind the fault; 0: try again
constinit std::uint64_t mend = 0;  // page to make writable before that; 0: none

void handle(reprise_frame& frame) {
  seen = frame;
  handled = handled + 1;
  if (mend != 0)
    REPRISE_CHECK(
        user::map(mend, REPRISE_PAGE_SIZE, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  frame.rip += skip;
}

void expect(std::uint64_t bytes_to_skip, std::uint64_t page_to_mend = 0) {
  handled = 0;
  skip = bytes_to_skip;
  mend = page_to_mend;
  user::compiler_barrier();
}

// Maps a missing page at its first write, as a program with paging of its own does.
void check_page_fault(std::uint64_t page) {
  expect(0, page);
  auto* word = reinterpret_cast<volatile std::uint64_t*>(page + 24);
  *word = 4711;
  user::compiler_barrier();
  REPRISE_CHECK(handled == 1);
  REPRISE_CHECK(*word == 4711);
  REPRISE_CHECK(seen.vector == 14);
  REPRISE_CHECK(seen.fault_address == page + 24);
  REPRISE_CHECK((seen.error_code & 7) == 6);  // not present, a write, from ring 3
  REPRISE_CHECK(user::unmap(page, REPRISE_PAGE_SIZE) == 0);
}

void check_breakpoint() {
  expect(0);  // a trap: the frame's RIP stands behind the instruction already
  user::breakpoint();
  REPRISE_CHECK(handled == 1);
  REPRISE_CHECK(seen.vector == 3);
}

void check_privileged() {
  expect(1);  // HLT is one byte long
  user::halt();
  REPRISE_CHECK(handled == 1);
  REPRISE_CHECK(seen.vector == 13);
  REPRISE_CHECK(seen.error_code == 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 5);
  user::handle_exceptions(handle);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    check_page_fault(user::start_information().map_low + round * REPRISE_PAGE_SIZE);
    check_breakpoint();
    check_privileged();
  }
  user::stop_handling_exceptions();
  user::print("handler: ", 3 * rounds, " exceptions handled\n");
  return 0;
}
