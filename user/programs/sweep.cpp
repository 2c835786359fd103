// sweep [PAGES [ROUNDS]]: in each round writes one word of each of PAGES (10) pages, and computes
// for some 250 instructions. So a time limit ends its PEs, and each of them has modified all of the
// pages. Checks at the end that every word is as it should be.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t words = REPRISE_PAGE_SIZE / sizeof(std::uint64_t);
constexpr std::uint64_t steps = 40;

std::uint64_t compute(std::uint64_t state) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state ^= state << 13;  // xorshift64: Marsaglia, "Xorshift RNGs", 2003
    state ^= state >> 7;
    state ^= state << 17;
  }
  return state;
}

// The last round that wrote the word, counted from 1; 0: none did.
std::uint64_t last_round(std::uint64_t word, std::uint64_t rounds) {
  if (word >= rounds) return 0;
  return word + (rounds - 1 - word) / words * words + 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t pages = user::number_argument(argc, argv, 1, 10);
  const std::uint64_t rounds = user::number_argument(argc, argv, 2, 1000);
  const std::uint64_t address = user::start_information().map_low;
  auto* memory = reinterpret_cast<volatile std::uint64_t*>(address);
  if (pages != 0) {
    REPRISE_CHECK(user::map(address, pages * REPRISE_PAGE_SIZE,
                            REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  }
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint64_t page = 0; page < pages; ++page) {
      memory[page * words + round % words] = round + 1 + page;
    }
    state = compute(state);
  }
  for (std::uint64_t page = 0; page < pages; ++page) {
    for (std::uint64_t word = 0; word < words; ++word) {
      const std::uint64_t last = last_round(word, rounds);
      REPRISE_CHECK(memory[page * words + word] == (last == 0 ? 0 : last + page));
    }
  }
  user::print("sweep: pages=", pages, " rounds=", rounds, " digest=", user::Hex{state}, "\n");
  return 0;
}
