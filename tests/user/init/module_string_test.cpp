#include "user/init/module_string.hpp"

#include <array>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace reprise;

namespace {

struct Parsed {
  explicit Parsed(std::string_view text) : result{parse_module_string(text, storage, words)} {}
  std::array<char, 128> storage{};
  std::array<std::string_view, 8> words;
  Result<ModulePurpose, Error> result;

  [[nodiscard]] std::vector<std::string> argv() const {
    return {result.value().argv.begin(), result.value().argv.end()};
  }
  [[nodiscard]] bool wrong() const { return !result && result.error() == Error::ModuleString; }
};

}  // namespace

TEST_CASE("a program has a name and its own argument zero") {
  const Parsed p{"program=box /bin/busybox sh -c \"echo a b\""};
  REQUIRE(p.result);
  CHECK(p.result.value().role == ModuleRole::Program);
  CHECK(p.result.value().name == "box");
  CHECK(p.argv() == std::vector<std::string>{"/bin/busybox", "sh", "-c", "echo a b"});
}

TEST_CASE("a program without arguments gets its name as the only one") {
  const Parsed p{" program=loop "};
  REQUIRE(p.result);
  CHECK(p.argv() == std::vector<std::string>{"loop"});
}

TEST_CASE("a program may begin a stage, with settings of its own") {
  CHECK_FALSE(Parsed{"program=box then"}.result.value().stage);
  const Parsed p{"then pe.limit=200 flush=all program=box /bin/box program=x"};
  REQUIRE(p.result);
  CHECK(p.result.value().name == "box");
  CHECK(p.argv() == std::vector<std::string>{"/bin/box", "program=x"});
  const auto stage = p.result.value().stage;
  REQUIRE(stage);
  CHECK(std::vector<std::string>{stage->begin(), stage->end()} ==
        std::vector<std::string>{"pe.limit=200", "flush=all"});
  CHECK(Parsed{"then program=box"}.result.value().stage->empty());
}

TEST_CASE("a driver has a name and no arguments") {
  CHECK(Parsed{"driver=terminal"}.result.value().role == ModuleRole::Driver);
  CHECK(Parsed{"driver=terminal"}.result.value().name == "terminal");
  CHECK(Parsed{"driver=terminal x"}.wrong());
  CHECK(Parsed{"driver="}.wrong());
}

TEST_CASE("personality and archive stand alone") {
  CHECK(Parsed{"personality"}.result.value().role == ModuleRole::Personality);
  CHECK(Parsed{"archive"}.result.value().role == ModuleRole::Archive);
  CHECK(Parsed{"init"}.result.value().role == ModuleRole::Init);
  CHECK(Parsed{"archive"}.argv().empty());
  CHECK(Parsed{"personality x"}.wrong());
  CHECK(Parsed{"archive x"}.wrong());
}

TEST_CASE("module strings without a role, a name or an end are refused") {
  const char* text = GENERATE(
      "", "  ", "program", "program=", "programs=a", "Personality", "archiv", "/bin/busybox",
      "program=a \"b", "program=a\\", "program=a,b", "program=a:b", "then", "then flush=all",
      "then program=", "then driver=a", "then archive", "'program=a b'", "a b c d e f g h i");
  CHECK(Parsed{text}.wrong());
}
