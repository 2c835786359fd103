// Every single bit, one at a time: of each register word and of a page, in either run, with both
// policies. Each flip is a mismatch and a restart, and leaves no trace.
#include <array>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;

namespace {

constexpr std::array policies{dwc::Policy::Rotate, dwc::Policy::Classic};
constexpr std::array runs{dwc::WhichRun::First, dwc::WhichRun::Second};

// One PE for each flip, which `flip` does once at the end of that run. The process is compared with
// a plain run after every PE. Returns how many flips went wrong.
template <class Flip>
std::uint64_t sweep_flips(dwc::Policy policy, dwc::WhichRun run, std::uint64_t flips, Flip flip) {
  const Program program = touch_pages(1);
  World<> world{program, 1, 4, settings(policy)};
  Reference reference{program, 1};
  bool pending = false;
  std::uint64_t i = 0, wrong = 0;
  world.machine.on_run_ended = [&](dwc::WhichRun ended) {
    if (ended == run && std::exchange(pending, false)) flip(world, i);
  };
  for (; i < flips; ++i) {
    pending = true;
    const std::uint64_t mismatches = world.statistics().mismatches.total;
    const std::uint64_t restarts = world.statistics().restarts;
    const bool served = world.process.run(1) == dwc::Next::Serve;
    reference.run_pe();
    const bool noticed = world.statistics().mismatches.total == mismatches + 1 &&
                         world.statistics().restarts == restarts + 1;
    const bool same = !difference(world.machine, reference.machine).has_value();
    wrong += served && noticed && same && !pending ? 0 : 1;
    if (!served) break;
  }
  return wrong + (flips - i);
}

}  // namespace

TEST_CASE("every flipped bit of a page, in either run, is noticed and undone") {
  for (const dwc::Policy policy : policies) {
    for (const dwc::WhichRun run : runs) {
      const auto wrong = sweep_flips(policy, run, 64 * words_per_page, [](auto& world, auto bit) {
        REQUIRE(world.process.controller().modified_pages() == 1);
        const Frame frame = world.process.controller().modified(0).work;
        world.machine.words(frame)[bit / 64] ^= std::uint64_t{1} << bit % 64;
      });
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("every flipped bit of a register, in either run, is noticed and undone") {
  for (const dwc::Policy policy : policies) {
    for (const dwc::WhichRun run : runs) {
      const auto wrong = sweep_flips(policy, run, 64 * Registers::count, [](auto& world, auto bit) {
        world.machine.registers().words()[bit / 64] ^= std::uint64_t{1} << bit % 64;
      });
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("every flipped bit of a register before any instruction of either run leaves no trace") {
  const Program program = touch_pages(1);
  std::uint64_t flips = 0, wrong = 0;
  for (const dwc::WhichRun run : runs) {
    for (std::size_t at = 0; at < program.size(); ++at) {
      for (std::size_t bit = 0; bit < 64 * Registers::count; ++bit) {
        World<> world{program, 1, 4};
        Reference reference{program, 1};
        dwc::WhichRun current{};
        bool pending = true;
        world.machine.on_run_begins = [&](dwc::WhichRun begun) { current = begun; };
        world.machine.before_instruction = [&] {
          if (!pending || current != run || world.machine.retired() != at) return;
          pending = false;
          ++flips;
          const std::size_t word = bit / 64;
          const std::uint64_t mask = std::uint64_t{1} << bit % 64;
          if (word >= Registers::first_extended) {
            world.machine.extended()[word - Registers::first_extended] ^= mask;
          } else {
            world.live(word) ^= mask;
          }
        };
        for (int pe = 0; pe < 2; ++pe) {
          const bool served = world.process.run(1) == dwc::Next::Serve;
          reference.run_pe();
          wrong += served && !difference(world.machine, reference.machine) ? 0 : 1;
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(flips > 10'000);
}
