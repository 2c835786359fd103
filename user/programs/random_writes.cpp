// random_writes [PAGES [WRITES]]: WRITES (200,000) stores, each to a random word of a random one of
// PAGES (64) pages, then the same sequence read back and checked.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t words = REPRISE_PAGE_SIZE / sizeof(std::uint64_t);

// Marsaglia's xorshift (2003).
class Sequence {
public:
  explicit Sequence(std::uint64_t limit) : limit_{limit} {}
  // Below the limit, which fits in 32 bits.
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 32) * limit_ >> 32;
  }

private:
  std::uint64_t limit_;
  std::uint64_t state_ = 88172645463325252;
};

// What stands in a word that was written: a word of zeros was not.
std::uint64_t value_of(std::uint64_t place) { return place * 0x9e3779b97f4a7c15 + 1; }

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t pages = user::number_argument(argc, argv, 1, 64);
  const std::uint64_t writes = user::number_argument(argc, argv, 2, 200'000);
  REPRISE_CHECK(pages > 0);
  const std::uint64_t address = user::start_information().map_low;
  REPRISE_CHECK(user::map(address, pages * REPRISE_PAGE_SIZE,
                          REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  auto* memory = reinterpret_cast<std::uint64_t*>(address);
  Sequence written{pages * words};
  for (std::uint64_t i = 0; i < writes; ++i) {
    const std::uint64_t place = written.next();
    memory[place] = value_of(place);
  }
  Sequence read{pages * words};
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < writes; ++i) {
    const std::uint64_t place = read.next();
    REPRISE_CHECK(memory[place] == value_of(place));
    sum += place;
  }
  user::print("random_writes: pages=", pages, " writes=", writes, " sum=", sum, "\n");
  return 0;
}
