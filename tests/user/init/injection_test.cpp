#include "user/init/guests.hpp"
#include "user/init/settings.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/user/init/registers.hpp"

using namespace reprise;
using Target = Injection::Target;
using Moment = Injection::Moment;

namespace {

NamedInjection parsed(std::string_view item) {
  const auto outcome = parse_injection(item, test::word_named);
  REQUIRE(outcome);
  return outcome.value();
}

std::string_view fault_in(std::string_view item) {
  const auto outcome = parse_injection(item, test::word_named);
  REQUIRE_FALSE(outcome);
  REQUIRE_FALSE(outcome.error().allowed.view().empty());
  return outcome.error().reason;
}

}  // namespace

TEST_CASE("a register's flip names process, PE, run, word and bit") {
  const NamedInjection i = parsed("sums:12:2:rip:63");
  CHECK(i.name == "sums");
  CHECK(i.element == 12);
  CHECK(i.run == 2);
  CHECK(i.target == Target::Register);
  CHECK(i.word == 16);
  CHECK(i.bit == 63);
  CHECK(i.moment == Moment::Start);
}

TEST_CASE("the machine resolves names with a point") {
  CHECK(parsed("p:1:1:xmm3.1:0").word == test::xmm3_high);
}

TEST_CASE("a page's flip names page and word and comes at the end of the run") {
  const NamedInjection i = parsed("p:1:1:page.3.511:0");
  CHECK(i.target == Target::Page);
  CHECK(i.page == 3);
  CHECK(i.word == 511);
  CHECK(i.moment == Moment::End);
}

TEST_CASE("a page that a run has not modified can be flipped, but no snapshot has one") {
  const Injection page = parsed("p:1:2:unmodified.4.9:5");
  CHECK(page.target == Target::UnmodifiedPage);
  CHECK(page.page == 4);
  CHECK(page.word == 9);
  CHECK(page.moment == Moment::End);
  CHECK(fault_in("p:1:2:unmodified.4:5") == "unmodified.4");
  CHECK(fault_in("p:1:2:snapshot.unmodified.4.9:5") == "snapshot.unmodified.4.9");
}

TEST_CASE("a snapshot's registers and pages can be flipped") {
  CHECK(parsed("p:1:1:snapshot.rax:5").target == Target::SnapshotRegister);
  CHECK(parsed("p:1:1:snapshot.rax:5").moment == Moment::End);
  const Injection page = parsed("p:1:1:snapshot.page.0.7:5");
  CHECK(page.target == Target::SnapshotPage);
  CHECK(page.page == 0);
  CHECK(page.word == 7);
}

TEST_CASE("an injection can name its moment") {
  CHECK(parsed("p:1:1:rax:5:end").moment == Moment::End);
  CHECK(parsed("p:1:1:rax:5:start").moment == Moment::Start);
  CHECK(parsed("p:1:1:page.0.0:5:start").moment == Moment::Start);
}

TEST_CASE("the moment can be a number of instructions into the run, from 1") {
  CHECK(parsed("p:1:1:rax:5:at=1").moment == Moment::Offset);
  CHECK(parsed("p:1:1:rax:5:at=1").offset == 1);
  CHECK(parsed("p:1:2:page.0.0:5:at=18446744073709551615").offset == ~0ull);
  CHECK(parsed("p:1:1:snapshot.rip:5:at=200000").moment == Moment::Offset);
  CHECK(parsed("p:1:1:rax:5:end").offset == 0);
  CHECK(fault_in("p:1:1:rax:0:at=0") == "at=0");
  CHECK(fault_in("p:1:1:rax:0:at=") == "at=");
  CHECK(fault_in("p:1:1:rax:0:at") == "at");
  CHECK(fault_in("p:1:1:rax:0:at=5:x") == "at=5:x");
  CHECK(fault_in("p:1:1:rax:0:at=18446744073709551616") == "at=18446744073709551616");
}

TEST_CASE("the highest PE can be named, one beyond cannot") {
  CHECK(parsed("p:18446744073709551615:1:rax:0").element == ~0ull);
  CHECK(fault_in("p:18446744073709551616:1:rax:0") == "18446744073709551616");
  CHECK(fault_in("p:99999999999999999999999:1:rax:0") == "99999999999999999999999");
}

TEST_CASE("the part at fault is named") {
  CHECK(fault_in("p:0:1:rax:0") == "0");
  CHECK(fault_in("p:-1:1:rax:0") == "-1");
  CHECK(fault_in("p:1:3:rax:0") == "3");
  CHECK(fault_in("p:1:1:eax:0") == "eax");
  CHECK(fault_in("p:1:1:snapshot.:0") == "snapshot.");
  CHECK(fault_in("p:1:1:page.0:0") == "page.0");
  CHECK(fault_in("p:1:1:page.65536.0:0") == "page.65536.0");
  CHECK(fault_in("p:1:1:page.0.512:0") == "page.0.512");
  CHECK(fault_in("p:1:1:page.0.0.0:0") == "page.0.0.0");
  CHECK(fault_in("p:1:1:rax:64") == "64");
  CHECK(fault_in("p:1:1:rax:0:middle") == "middle");
  CHECK(fault_in("p:1:1:rax:0:end:x") == "end:x");
}

TEST_CASE("the error names the part that is missing") {
  const auto wanted = [](std::string_view item) {
    const auto outcome = parse_injection(item, test::word_named);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().reason == "a part is missing");
    const std::string allowed{outcome.error().allowed.view()};
    return allowed.substr(0, allowed.find(':'));
  };
  CHECK(wanted("") == "PROCESS");
  CHECK(wanted(":1:1:rax:0") == "PROCESS");
  CHECK(wanted("rax") == "PE");
  CHECK(wanted("p:1") == "RUN");
  CHECK(wanted("p:1:1") == "TARGET");
  CHECK(wanted("p:1:1:rax") == "BIT");
  CHECK(wanted("p:1:1:rax:") == "BIT");
  CHECK(wanted("p:1:1:rax:0:") == "start, end or at=N with N from 1");
}

TEST_CASE("a flip may hit only those flags that ring 3 can set") {
  const int bit = GENERATE(range(0, 64));
  const bool allowed = bit == 0 || bit == 2 || bit == 4 || bit == 6 || bit == 7 || bit == 8 ||
                       bit == 10 || bit == 11 || bit == 14 || bit == 18 || bit == 21;
  const char* target = GENERATE("rflags", "snapshot.rflags");
  const std::string item = "p:1:1:" + std::string{target} + ":" + std::to_string(bit);
  CHECK(static_cast<bool>(parse_injection(item, test::word_named)) == allowed);
}

TEST_CASE("a flip may hit any of a guest's flags") {
  const int bit = GENERATE(range(0, 64));
  const char* name = GENERATE("guest", "guest2", "guest8");
  const std::string item = std::string{name} + ":1:1:rflags:" + std::to_string(bit);
  CHECK(parse_injection(item, test::word_named));
}

TEST_CASE("guests are called by the word and a number from 2 to 8, and by nothing else") {
  CHECK(is_guest_name("guest"));
  CHECK(is_guest_name("guest8"));
  for (const std::string_view name : {"", "guest1", "guest9", "guest22", "guests", "gues", "Guest"})
    CHECK_FALSE(is_guest_name(name));
}
