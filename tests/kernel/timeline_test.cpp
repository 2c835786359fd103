// The records of PEs, as scripts/lib/reprise/timeline.py reads them
// (tests/scripts/timeline_test.py).
#include "kernel/timeline.hpp"

#include <sstream>
#include <string>
#include <vector>

#include "kernel/context/element.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;

namespace {

constexpr std::uint64_t step = 10;  // nanoseconds that each stay in ring 3 takes

// Programs that store once in each PE, and then end it by a call.
class Traced {
public:
  explicit Traced(std::uint64_t hardened = 1)
      : process_{kernel_.start({.module = fakes::program_module, .hardened = hardened})} {
    fakes::hardware.second_serial.emplace();
    fakes::hardware.ring_3 = [this](arch::UserState&) { return run_program(); };
  }

  // A PE and its record: words of each line.
  std::vector<std::vector<std::string>> record() {
    fakes::hardware.second_serial.emplace();
    const auto end = ElementRunner{process_.context()}.run(Nanoseconds{200'000});
    write_to_timeline(process_, end, {Nanoseconds{7000}, Nanoseconds{800}}, {5, 6, 7});
    std::vector<std::vector<std::string>> lines;
    std::istringstream text{*fakes::hardware.second_serial};
    for (std::string line; std::getline(text, line);) {
      std::istringstream words{line};
      lines.emplace_back();
      for (std::string word; words >> word;) lines.back().push_back(word);
    }
    return lines;
  }
  // The next so many second runs store something else.
  void disturb(unsigned second_runs) { to_disturb_ = second_runs; }
  std::string number() const { return std::to_string(process_.number()); }

private:
  arch::Trap run_program() {
    fakes::hardware.now += step;
    const bool second = ++calls_ % 2 == 0;
    const bool other = second && to_disturb_ != 0;
    const auto fault = fakes::store(fakes::data, other ? 1 : 2);
    if (fault) {
      --calls_;
      return *fault;
    }
    if (other) --to_disturb_;
    return fakes::system_call();
  }

  fakes::Kernel kernel_;
  Process& process_;
  unsigned calls_ = 0, to_disturb_ = 0;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a PE's record says which it was, how it ended, and what each phase took") {
  Traced traced;
  const auto lines = traced.record();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == Words{"p", traced.number(), "1", "7000", "800", "end", "0", "0", "5", "6", "7",
                          "1", "1", "0", "1"});
  // Load, first run (it faults once), write fault, rewind, flush, second run, search, comparison.
  CHECK(lines[1] == Words{"a", "committed", "0", "20", "0", "0", "0", "10", "0", "0"});
}

TEST_CASE("pages and write faults are sums over the process's PEs, and times are the PE's own") {
  Traced traced;
  static_cast<void>(traced.record());
  const auto lines = traced.record();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0][2] == "2");
  CHECK(lines[0][11] == "2");  // pages: the prediction was right
  CHECK(lines[0][12] == "1");  // so there was no other write fault
  CHECK(lines[1] == Words{"a", "committed", "0", "10", "0", "0", "0", "10", "0", "0"});
}

TEST_CASE("each failed attempt has a line of its own") {
  Traced traced;
  static_cast<void>(traced.record());
  traced.disturb(2);
  const auto lines = traced.record();
  REQUIRE(lines.size() == 4);
  CHECK(Words{lines[0].end() - 2, lines[0].end()} == Words{"2", "3"});
  for (const std::size_t attempt : {1, 2, 3}) {
    CHECK(lines[attempt][1] == (attempt < 3 ? "mismatch" : "committed"));
    CHECK(lines[attempt][3] == "10");
    CHECK(lines[attempt][7] == "10");
  }
}

TEST_CASE("a PE that was given up has its verdict, and what came behind the last attempt") {
  Traced traced;
  traced.disturb(1000);
  const auto lines = traced.record();
  REQUIRE(lines.size() == 6);  // four attempts fail
  CHECK(Words{lines[0].begin() + 5, lines[0].begin() + 8} == Words{"verdict", "0", "0"});
  CHECK(Words{lines[0].end() - 2, lines[0].end()} == Words{"4", "5"});
  CHECK(lines[4][1] == "mismatch");
  CHECK(lines[5][1] == "given-up");
}

TEST_CASE("a context that is not hardened has one line a PE") {
  Traced traced{0};
  const auto lines = traced.record();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == Words{"p", traced.number(), "1", "7000", "800", "end", "0", "0", "5", "6", "7",
                          "0", "0", "0", "0"});
}
