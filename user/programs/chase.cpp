// chase [PAGES [ROUNDS]]: pointer chasing. PAGES (256) pages hold a ring of nodes in random order,
// one a cache line; ROUNDS (8) times the program follows it from node to node. Each round must come
// back to its start, and not earlier.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

struct alignas(64) Node {
  std::uint64_t next;  // its place
};

constexpr std::uint64_t nodes_a_page = REPRISE_PAGE_SIZE / sizeof(Node);

// Below the limit, which fits in 32 bits. Marsaglia's xorshift (2003).
std::uint64_t random_below(std::uint64_t limit, std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 32) * limit >> 32;
}

// One ring over all nodes: Sattolo, "An algorithm to generate a random cyclic permutation", 1986.
void make_ring(Node* nodes, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) nodes[i].next = i;
  std::uint64_t state = 88172645463325252;
  for (std::uint64_t i = count - 1; i > 0; --i) {
    const std::uint64_t other = random_below(i, state);
    const std::uint64_t kept = nodes[i].next;
    nodes[i].next = nodes[other].next;
    nodes[other].next = kept;
  }
}

// Steps until the start comes back.
std::uint64_t steps_around(const Node* nodes) {
  std::uint64_t steps = 0, place = 0;
  do {
    place = nodes[place].next;
    ++steps;
  } while (place != 0);
  return steps;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t pages = user::number_argument(argc, argv, 1, 256);
  const std::uint64_t rounds = user::number_argument(argc, argv, 2, 8);
  REPRISE_CHECK(pages > 0);
  const std::uint64_t address = user::start_information().map_low;
  REPRISE_CHECK(user::map(address, pages * REPRISE_PAGE_SIZE,
                          REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  auto* nodes = reinterpret_cast<Node*>(address);
  make_ring(nodes, pages * nodes_a_page);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    REPRISE_CHECK(steps_around(nodes) == pages * nodes_a_page);
  }
  user::print("chase: pages=", pages, " rounds=", rounds, "\n");
  return 0;
}
