// The PMU's registers without QEMU: what a write does, when the counter wraps.
#include "pmu_model.hpp"

#include "tests/catch.hpp"

using namespace pmu;

namespace {

constexpr std::uint32_t kCounter = 0x309, kControl = 0x38d, kStatus = 0x38e, kGlobal = 0x38f,
                        kClear = 0x390;
constexpr std::uint64_t kFixed0 = std::uint64_t{1} << 32;

void start(FixedCounter& counter, std::uint64_t value, std::uint64_t control, Retired now) {
  counter.write(kCounter, value, now);
  counter.write(kControl, control, now);
  counter.write(kGlobal, kFixed0, now);
}

}  // namespace

TEST_CASE("the counter counts the rings that its control register names") {
  const auto [control, expected] =
      GENERATE(table<std::uint64_t, std::uint64_t>({{0, 5}, {1, 5 + 7}, {2, 5 + 30}, {3, 5 + 37}}));
  FixedCounter counter{48};
  start(counter, 5, control, {100, 200});
  CHECK(counter.read(kCounter, {130, 207}) == expected);
}

TEST_CASE("a counter that is off globally stands still and keeps its value") {
  FixedCounter counter{48};
  start(counter, 5, 2, {0, 0});
  counter.write(kGlobal, 0, {10, 0});
  CHECK(counter.read(kCounter, {1000, 1000}) == 15u);
  CHECK(counter.wraps_at() == kNever);
}

TEST_CASE("the counter wraps at its width, sets its status bit and asks once for an interrupt") {
  const unsigned width = GENERATE(32u, 40u, 48u);
  FixedCounter counter{width};
  const std::uint64_t all = (std::uint64_t{1} << width) - 1;
  start(counter, all - 9, 0xa, {50, 0});
  CHECK(counter.wraps_at() == 60);
  CHECK_FALSE(counter.overflowed({59, 0}));
  CHECK_FALSE(counter.status_pending());
  CHECK(counter.overflowed({62, 0}));
  CHECK_FALSE(counter.overflowed({63, 0}));
  CHECK(counter.read(kStatus, {63, 0}) == kFixed0);
  CHECK(counter.read(kCounter, {63, 0}) == 3u);
  CHECK(counter.last_wrap() == 60);
  CHECK(counter.wraps_at() == 60 + all + 1);
}

TEST_CASE("without the interrupt enable bit an overflow only sets the status") {
  FixedCounter counter{48};
  start(counter, (std::uint64_t{1} << 48) - 1, 2, {0, 0});
  CHECK_FALSE(counter.overflowed({1, 0}));
  CHECK(counter.status_pending());
}

TEST_CASE("an overflow that a register access finds first still asks for its interrupt") {
  FixedCounter counter{48};
  start(counter, (std::uint64_t{1} << 48) - 1, 0xa, {0, 0});
  counter.write(kGlobal, 0, {4, 0});
  CHECK(counter.overflowed({4, 0}));
}

TEST_CASE("the status bit is cleared by its clear register only") {
  FixedCounter counter{48};
  start(counter, (std::uint64_t{1} << 48) - 1, 2, {0, 0});
  counter.write(kStatus, 0, {1, 0});
  CHECK(counter.status_pending());
  CHECK(counter.faulty_writes() == 1);
  counter.write(kClear, 1, {1, 0});
  CHECK(counter.status_pending());
  counter.write(kClear, kFixed0, {1, 0});
  CHECK_FALSE(counter.status_pending());
  CHECK(counter.read(kClear, {1, 0}) == 0u);
}

TEST_CASE("reserved bits are left out and noted") {
  FixedCounter counter{40};
  counter.write(kCounter, ~std::uint64_t{0}, {0, 0});
  CHECK(counter.read(kCounter, {0, 0}) == (std::uint64_t{1} << 40) - 1);
  counter.write(kControl, 0xf, {0, 0});
  CHECK(counter.read(kControl, {0, 0}) == 0xbu);
  CHECK(counter.faulty_writes() == 2);
}

TEST_CASE("other MSRs are not the PMU's") {
  FixedCounter counter{48};
  CHECK_FALSE(counter.write(0x186, 1, {0, 0}));
  CHECK_FALSE(counter.read(0xc1, {0, 0}).has_value());
}

TEST_CASE("a reset stops and clears everything") {
  FixedCounter counter{48};
  start(counter, (std::uint64_t{1} << 48) - 1, 0xa, {0, 0});
  counter.reset();
  CHECK_FALSE(counter.overflowed({10, 10}));
  CHECK(counter.read(kCounter, {10, 10}) == 0u);
  CHECK(counter.read(kGlobal, {10, 10}) == 0u);
  CHECK(counter.read(kControl, {10, 10}) == 0u);
}
