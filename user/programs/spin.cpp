// spin MODE: never ends and never makes a call, so that only the time limit ends its PEs:
//   jmp    jumps to itself           count  counts in memory
//   stos   REP STOSB over 64 MiB, again and again
//   poll   waits for memory that never changes
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

void store_for_ever() {
  constexpr std::size_t bytes = 64 << 20;
  constexpr std::size_t piece = 2 << 20;  // mapped at once: no other program waits for all of it
  const std::uint64_t address = user::start_information().map_low;
  for (std::size_t done = 0; done < bytes; done += piece) {
    const unsigned protection = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
    REPRISE_CHECK(user::map(address + done, piece, protection) == 0);
  }
  for (std::uint64_t value = 1;; ++value) {
    std::uint64_t to = address;
    std::size_t count = bytes;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = user::text_argument(argc, argv, 1);
  std::uint64_t word = 0;
  user::print("spin: ", mode, " begins\n");
  if (mode == "jmp") asm volatile("1: jmp 1b");
  if (mode == "count") asm volatile("1: incq %0; jmp 1b" : "+m"(word) : : "cc");
  if (mode == "stos") store_for_ever();
  if (mode == "poll") asm volatile("1: cmpq $0, %0; je 1b" : : "m"(word) : "cc");
  user::print("spin: jmp, count, stos or poll; none of them comes to an end\n");
  return 2;
}
