#include "user/init/flips.hpp"

#include <set>
#include <string>
#include <vector>

#include "kernel/abi/reprise.h"
#include "tests/catch.hpp"
#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"

namespace {

std::vector<reprise::Injection> planned;
std::string printed;

std::vector<reprise::Injection> drawn(std::uint64_t seed, std::uint64_t rate, std::uint64_t ahead) {
  reprise::RandomFlips flips;
  flips.start(seed, rate);
  std::vector<reprise::Injection> all;
  all.reserve(4000);
  for (int i = 0; i < 4000; ++i) all.push_back(flips.draw({.process = 7, .ahead = ahead}));
  return all;
}

}  // namespace

bool reprise::inject(const Injection& injection) {
  planned.push_back(injection);
  return true;
}
void reprise::print_whole_line(std::string_view prefix, std::string_view text) {
  printed = std::string{prefix} + std::string{text};
}

TEST_CASE("random flips come every so many PEs on average, however many are ahead") {
  for (const std::uint64_t rate : {1, 3, 20}) {
    for (const std::uint64_t ahead : {1, 16}) {
      std::uint64_t sum = 0;
      for (const auto& flip : drawn(5, rate, ahead)) {
        REQUIRE(flip.element >= 1);
        sum += flip.element;
      }
      const std::uint64_t expected = 4000 * rate * ahead;
      CHECK(sum >= expected - expected / 10);
      CHECK(sum <= expected + expected / 10);
    }
  }
}

TEST_CASE("before the start and after the stop no random flip is planned") {
  reprise::RandomFlips flips;
  planned.clear();
  CHECK(flips.plan({.process = 7}));
  CHECK(planned.empty());
  flips.start(1, 1);
  CHECK(flips.plan({.process = 7}));
  CHECK(planned.size() == 1);
  flips.stop();
  CHECK(flips.plan({.process = 7}));
  CHECK(planned.size() == 1);
}

TEST_CASE("a value that does not fit into an event's line is cut, its quotes closed") {
  for (std::size_t size = 480; size < 530; ++size) {
    const std::string text = std::string(size, ' ') + R"(""")";
    reprise::print_event("boot", "command_line", std::string_view{text});
    REQUIRE(printed.size() <= 512 + std::string_view{"reprise: "}.size());
    REQUIRE(printed.ends_with('"'));
    REQUIRE(printed[printed.size() - 2] != '\\');  // else the last quote belongs to the value
  }
}

TEST_CASE("random flips of every kind come, and the kernel takes each") {
  bool runs[3]{}, moments[3]{}, pages = false, registers = false, flags = false;
  for (const auto& flip : drawn(9, 2, 1)) {
    CHECK(flip.random == 1);
    CHECK(flip.process == 7);
    CHECK(flip.bit <= 63);
    REQUIRE((flip.run == 1 || flip.run == 2));
    CHECK((flip.offset != 0) == (flip.moment == reprise::Injection::Moment::Offset));
    runs[flip.run] = moments[static_cast<std::size_t>(flip.moment)] = true;
    if (flip.is_register()) {
      registers = true;
      const bool vector = flip.word >= reprise::first_vector_word;
      CHECK((vector ? flip.word < reprise::first_vector_word + 32 : flip.word < 18));
      if (flip.word == 17) flags = true;
      if (flip.word == 17) CHECK((REPRISE_USER_FLAGS >> flip.bit & 1) == 1);
    } else {
      pages = true;
      CHECK(flip.word < 512);
      CHECK(flip.moment != reprise::Injection::Moment::Start);  // no page is modified yet
    }
    CHECK_FALSE(flip.is_snapshot());
  }
  CHECK((runs[1] && runs[2] && moments[0] && moments[1] && moments[2]));
  CHECK((pages && registers && flags));
}

TEST_CASE("random flips of a guest hit its own registers, too, and all of RFLAGS") {
  reprise::RandomFlips flips;
  flips.start(9, 2);
  std::set<std::uint64_t> words;
  std::uint64_t flag_bits = 0;
  for (int i = 0; i < 40000; ++i) {
    const reprise::Injection flip = flips.draw({.process = 7, .guest = true});
    if (!flip.is_register()) continue;
    words.insert(flip.word);
    if (flip.word == 17) flag_bits |= std::uint64_t{1} << flip.bit;
  }
  CHECK(words.size() == 18 + 32 + reprise::named_guest_words);
  CHECK(words.count(reprise::program_register_words) == 1);
  CHECK(*words.rbegin() == reprise::program_register_words + reprise::named_guest_words - 1);
  CHECK((flag_bits & ~REPRISE_USER_FLAGS) != 0);
}

TEST_CASE("the same seed gives the same random flips, another one others") {
  const auto same = [](std::uint64_t a, std::uint64_t b) {
    const auto left = drawn(a, 4, 1), right = drawn(b, 4, 1);
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i].element != right[i].element || left[i].word != right[i].word ||
          left[i].bit != right[i].bit || left[i].page != right[i].page) {
        return false;
      }
    }
    return true;
  };
  CHECK(same(1, 1));
  CHECK_FALSE(same(1, 2));
}

TEST_CASE("a random flip is planned as it is drawn") {
  planned.clear();
  reprise::RandomFlips flips, again;
  flips.start(3, 5);
  again.start(3, 5);
  flips.plan({.process = 2});
  REQUIRE(planned.size() == 1);
  CHECK(planned[0].process == 2);
  CHECK(planned[0].element == again.draw({.process = 2}).element);
}

TEST_CASE("a flip is reported with its target's name and its fate") {
  reprise::WordNames names{};
  reprise::fill_word_names(names, {});
  reprise::Injection flip;
  flip.element = 12;
  flip.word = 7;
  flip.bit = 3;
  flip.target = reprise::Injection::Target::SnapshotRegister;
  flip.fate = reprise::FlipFate::Stopped;
  reprise::print_flip("digest", flip, names);
  CHECK(printed ==
        "reprise: flip process=digest pe=12 run=1 moment=start offset=0 "
        "target=snapshot.rsp bit=3 outcome=stopped");
  flip.target = reprise::Injection::Target::Page;
  flip.page = 2;
  flip.moment = reprise::Injection::Moment::Offset;
  flip.offset = 41;
  flip.fate = reprise::FlipFate::NoTarget;
  reprise::print_flip("two words", flip, names);
  CHECK(printed ==
        "reprise: flip process=\"two words\" pe=12 run=1 moment=at offset=41 "
        "target=page.2.7 bit=3 outcome=no-target");
  flip.target = reprise::Injection::Target::UnmodifiedPage;
  reprise::print_flip("digest", flip, names);
  CHECK(printed ==
        "reprise: flip process=digest pe=12 run=1 moment=at offset=41 "
        "target=unmodified.2.7 bit=3 outcome=no-target");
}
