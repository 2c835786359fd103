#include "kernel/context/turn.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace reprise;

namespace {

constexpr std::uint64_t pe_length = 200;

// Processes a, b, c... with one priority each, and how long their PEs take. The scheduler's choice
// among those that are ready, PE for PE, as a string of names.
class Turns {
public:
  Turns(const std::vector<unsigned>& priorities, unsigned quantum) : quantum_{quantum} {
    for (const unsigned priority : priorities) {
      turns_.emplace_back(priority);
      ready_.push_back(true);
      cost_.push_back(pe_length);
    }
  }

  std::string run(int elements) {
    std::string ran;
    for (int i = 0; i < elements; ++i) ran += run_one();
    return ran;
  }
  char run_one() {
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < turns_.size(); ++i)
      if (ready_[i] && (!chosen || turns_[i].precedes(turns_[*chosen]))) chosen = i;
    if (!chosen) return '-';
    turns_[*chosen].spend(cost_[*chosen]);
    settle(*chosen);
    return static_cast<char>('a' + *chosen);
  }
  void sleep(char name) {
    ready_[index(name)] = false;
    yield(name);
  }
  void wake(char name) { ready_[index(name)] = true; }
  std::string run_without(char sleeper, int elements) {
    sleep(sleeper);
    std::string ran = run(elements);
    wake(sleeper);
    return ran;
  }
  void yield(char name) {
    turns_[index(name)].give_up();
    settle(index(name));
  }

  void set_cost(char name, std::uint64_t cost) { cost_[index(name)] = cost; }

private:
  void settle(std::size_t i) { turns_[i].end_element(quantum_ * pe_length, pe_length, clock_); }
  static std::size_t index(char name) { return static_cast<std::size_t>(name - 'a'); }

  std::vector<Turn> turns_;
  std::vector<bool> ready_;
  std::vector<std::uint64_t> cost_;
  unsigned quantum_;
  std::uint64_t clock_ = 0;
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("equal ones take turns in the order in which they were given") {
  CHECK(Turns{{4, 4, 4}, 1}.run(7) == "abcabca");
}

TEST_CASE("a turn is as many PEs as the quantum says") {
  CHECK(Turns{{4, 4, 4}, 3}.run(13) == "aaabbbcccaaab");
}

TEST_CASE("a higher one runs alone while it can") {
  Turns turns{{4, 4, 5}, 1};
  CHECK(turns.run(3) == "ccc");
  turns.sleep('c');
  CHECK(turns.run(4) == "abab");
}

TEST_CASE(
    "a higher one takes over at the next PE end, and the turn it cut short goes on after it") {
  Turns turns{{4, 4, 7}, 3};
  CHECK(turns.run_without('c', 2) == "aa");
  CHECK(turns.run(2) == "cc");
  turns.sleep('c');
  CHECK(turns.run(5) == "abbba");
}

TEST_CASE("one that often wakes above two equal ones does not favour either") {
  Turns turns{{4, 4, 7}, 1};
  turns.sleep('c');
  std::string ran;
  for (int i = 0; i < 6; ++i) {
    ran += turns.run_one();
    turns.wake('c');
    ran += turns.run_one();
    turns.sleep('c');
  }
  CHECK(ran == "acbcacbcacbc");
}

TEST_CASE(
    "one that wakes among its equals runs at the next end of a turn, and then waits as they do") {
  Turns turns{{4, 4, 4}, 1};
  CHECK(turns.run(3) == "abc");
  CHECK(turns.run_without('a', 4) == "bcbc");
  CHECK(turns.run(6) == "abcabc");
}

TEST_CASE("who yields gives up the rest of its turn") {
  Turns turns{{4, 4}, 5};
  CHECK(turns.run(2) == "aa");
  turns.yield('a');
  CHECK(turns.run(11) == "bbbbbaaaaab");
}

TEST_CASE("who has short PEs has more of them, and the same time within a turn and a PE") {
  const unsigned quantum = GENERATE(1u, 3u, 1000u);
  Turns turns{{4, 4, 4, 4}, quantum};
  const std::vector<std::uint64_t> costs{200, 104, 7, 199};
  for (std::size_t i = 0; i < costs.size(); ++i)
    turns.set_cost(static_cast<char>('a' + i), costs[i]);
  std::array<std::uint64_t, 4> times{};
  for (int element = 0; element < 100'000; ++element) {
    const auto i = static_cast<std::size_t>(turns.run_one() - 'a');
    times[i] += costs[i];
  }
  const auto [least, most] = std::ranges::minmax(times);
  CHECK(most - least <= (quantum + 1) * pe_length);
}

TEST_CASE("a PE a little shorter than its limit is a whole turn") {
  Turns turns{{4, 4}, 1};
  turns.set_cost('a', 199);
  turns.set_cost('b', 199);
  CHECK(turns.run(60) == repeated("ab", 30));
}

TEST_CASE("a turn that took too long is made up for, one given up early is not") {
  Turns turns{{4, 4}, 3};
  turns.set_cost('a', 1000);
  CHECK(turns.run(8) == "abbbabbb");
  turns.set_cost('a', 200);
  CHECK(turns.run(8) == "abbbabbb");
  Turns polite{{4, 4}, 3};
  CHECK(polite.run(1) == "a");
  polite.yield('a');
  CHECK(polite.run(10) == "bbbaaabbba");
}

TEST_CASE("when nobody can run nobody is chosen") {
  Turns turns{{0, 7}, 1};
  turns.sleep('a');
  turns.sleep('b');
  CHECK(turns.run_one() == '-');
}
