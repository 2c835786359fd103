// One processing element of a context that is not hardened: a single run, without an engine.
#include "kernel/context/element.hpp"

#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;

namespace {

struct Fixture {
  fakes::Kernel kernel;
  Process& program = kernel.start({.module = fakes::program_module, .hardened = 0});
  unsigned entries = 0;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "without an engine a stop by the counter ends no run") {
  fakes::hardware.ring_3 = [this](arch::UserState&) {
    ++entries;
    return entries < 3 ? arch::Trap{.kind = arch::Trap::Kind::Counter} : fakes::system_call();
  };
  const auto end = ElementRunner{program.context()}.run(Nanoseconds{1});
  REQUIRE(end);
  CHECK(end->kind == dwc::PeEnd::Kind::SystemCall);
  CHECK(entries == 3);
  CHECK(program.context().figures.elements == 1);
}

// No breakpoint is hit where ring 3 is entered. So a search looks wherever something stopped it.
TEST_CASE("what means nothing stops a second run at the time limit's place: it has arrived there") {
  fakes::Kernel kernel;
  Process& program = kernel.start({.module = fakes::program_module, .hardened = 1});
  constexpr std::uint64_t place = 0x123456;
  fakes::hardware.ring_3 = [](arch::UserState& state) -> arch::Trap {
    state[arch::Register::Rip] = place;
    const bool second_run = fakes::hardware.breakpoints[0].has_value();
    if (!second_run) return {.kind = arch::Trap::Kind::Timer};
    if (fakes::hardware.entries > 2) return fakes::system_call();
    return {.kind = arch::Trap::Kind::Device};
  };
  fakes::hardware.entries = 0;
  const auto end = ElementRunner{program.context()}.run(Nanoseconds{1});
  REQUIRE(end);
  CHECK(end->kind == dwc::PeEnd::Kind::TimeLimit);
  CHECK(fakes::hardware.entries == 2);
}
