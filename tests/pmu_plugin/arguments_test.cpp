// The plugin's command line.
#include "arguments.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace {

std::optional<pmu::Arguments> parse(std::vector<std::string> texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size());
  for (std::string& text : texts) pointers.push_back(text.data());
  return pmu::parse_arguments(static_cast<int>(pointers.size()), pointers.data());
}

}  // namespace

TEST_CASE("arguments are taken by name") {
  const auto taken =
      parse({"width=40", "delay=123", "calm=9", "seed=0", "gain=2", "stale=off", "report=on"});
  REQUIRE(taken.has_value());
  CHECK(taken->width == 40);
  CHECK(taken->delay == 123);
  CHECK(taken->calm == 9);
  CHECK(taken->seed == 0);
  CHECK(taken->gain == 2);
  CHECK_FALSE(taken->stale);
  CHECK(taken->report);
  CHECK_FALSE(taken->trace);
}

TEST_CASE("what is not understood is refused") {
  const std::string text = GENERATE("width=31", "width=57", "delay=", "delay=-1", "delay=1x",
                                    "delay", "gain=1001", "stale=1", "dealy=1", "=", "");
  CHECK_FALSE(parse({text}).has_value());
}
