// pages [N [ELEMENTS]]: modifies the same N pages (10), and no others, in each of ELEMENTS (100)
// processing elements, and checks at the end that every word is as it should be.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

extern "C" void touch_pages(void* first, std::uint64_t pages, std::uint64_t rounds);

namespace {

constexpr std::uint64_t words = REPRISE_PAGE_SIZE / sizeof(std::uint64_t);

// The value that the last round left in word `word` of page `page`; 0: no round wrote it.
std::uint64_t expected(std::uint64_t page, std::uint64_t word, std::uint64_t pages,
                       std::uint64_t rounds) {
  if (word >= rounds) return 0;
  const std::uint64_t round = word + (rounds - 1 - word) / words * words;
  return round * pages + page + 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t pages = user::number_argument(argc, argv, 1, 10);
  const std::uint64_t elements = user::number_argument(argc, argv, 2, 100);
  REPRISE_CHECK(pages > 0);
  const std::uint64_t address = user::start_information().map_low;
  REPRISE_CHECK(user::map(address, pages * REPRISE_PAGE_SIZE,
                          REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  auto* memory = reinterpret_cast<std::uint64_t*>(address);
  touch_pages(memory, pages, elements);

  std::uint64_t sum = 0;
  for (std::uint64_t page = 0; page < pages; ++page)
    for (std::uint64_t word = 0; word < words; ++word) {
      const std::uint64_t value = memory[page * words + word];
      REPRISE_CHECK(value == expected(page, word, pages, elements));
      sum += value;
    }
  user::print("pages: pages=", pages, " elements=", elements, " sum=", sum, "\n");
  return 0;
}
