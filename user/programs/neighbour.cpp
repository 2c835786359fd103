// neighbour [ROUNDS]: keeps a secret pattern in memory, again and again in fresh pages, and checks
// that no process has changed it. It runs beside programs that run wild. Prints a digest that
// depends on ROUNDS only.
#include "user/programs/neighbour.hpp"

#include <cstddef>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  constexpr std::size_t pages = 24, words = pages * REPRISE_PAGE_SIZE / 8;
  constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 100);
  const std::uint64_t address = user::start_information().map_low;
  auto* const memory = reinterpret_cast<volatile std::uint64_t*>(address);
  std::uint64_t digest = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    REPRISE_CHECK(user::map(address, words * 8, read_write, REPRISE_MAP_REPLACE) == 0);
    for (std::size_t i = 0; i < words; ++i) {
      memory[i] = neighbour_word | ((round * words + i) & ~neighbour_mask);
    }
    user::yield();
    for (std::size_t i = 0; i < words; ++i) {
      REPRISE_CHECK(memory[i] == (neighbour_word | ((round * words + i) & ~neighbour_mask)));
      digest = (digest ^ memory[i]) * 0x9e3779b97f4a7c15;
    }
    REPRISE_CHECK(user::unmap(address, words * 8) == 0);
  }
  user::print("neighbour: ", rounds, " rounds, digest ", user::Hex{digest}, "\n");
  return 0;
}
