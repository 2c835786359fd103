// The local APIC's registers as they are written (Intel SDM Vol. 3A chapter 11): the timer in both
// of its modes, the counter's interrupt, as x2APIC and as xAPIC.
#include <array>
#include <functional>
#include <utility>

#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch::x86;

namespace {

constexpr auto lvt_timer = static_cast<Msr>(0x832), lvt_performance = static_cast<Msr>(0x834),
               divide = static_cast<Msr>(0x83e), version = static_cast<Msr>(0x803);
constexpr std::uint32_t x2apic = 1 << 21;

std::array<std::uint32_t, 1024> page;  // of the xAPIC

void start(std::uint32_t leaf_1_ecx, std::function<bool(Msr, std::uint64_t)> on_write = {}) {
  cpu = {};
  cpu.on_write_msr = std::move(on_write);
  cpu.leaves[{0, 0}].eax = 1;
  cpu.leaves[{1, 0}].ecx = leaf_1_ecx;
  cpu.msrs[version] = 5 << 16;
  cpu.time_stamp = [] { return 0x123456789abull; };
  page[0x30 / 4] = 5 << 16;
  start_local_apic();
}

}  // namespace

std::span<std::byte> arch::x86::map_device(reprise::PhysAddr, std::size_t, CacheMode) {
  return std::as_writable_bytes(std::span{page});
}

TEST_CASE("the timer counts down once, at its full rate, and no longer than it can") {
  start(x2apic);
  REQUIRE(cpu.msrs[lvt_timer] == timer_vector);
  start_timer(1000);
  REQUIRE(cpu.msrs[divide] == 0b1011);
  REQUIRE(cpu.msrs[Msr::X2ApicInitialCount] == 1000);
  start_timer(1ull << 34);
  REQUIRE(cpu.msrs[divide] == 0b1011);
  REQUIRE(cpu.msrs[Msr::X2ApicInitialCount] == 0xffffffff);
  start_timer(0);  // as short as can be, but not off
  REQUIRE(cpu.msrs[Msr::X2ApicInitialCount] == 1);
  cpu.msrs[static_cast<Msr>(0x839)] = 5;
  REQUIRE((timer_count() != 0));
  cpu.msrs[static_cast<Msr>(0x839)] = 0;
  REQUIRE_FALSE((timer_count() != 0));
  stop_timer();
  REQUIRE(cpu.msrs[Msr::X2ApicInitialCount] == 0);
}

TEST_CASE("the counter's interrupt is masked until it is admitted, then an NMI") {
  start(x2apic);
  REQUIRE(cpu.msrs[lvt_performance] == 0x10400);
  admit_counter_interrupt();
  REQUIRE(cpu.msrs[lvt_performance] == 0x400);
}

TEST_CASE("a CPU kicks itself, by a vector of its own") {
  start(x2apic);
  kick_self();
  CHECK(cpu.msrs[static_cast<Msr>(0x830)] == (1 << 18 | kick_vector));
}

TEST_CASE("an entry is written only when software has enabled the APIC: else it would be masked") {
  constexpr auto spurious = static_cast<Msr>(0x80f), lint1 = static_cast<Msr>(0x836);
  bool enabled = false;
  const auto hardware = [&](Msr msr, std::uint64_t value) {
    if (msr == spurious) enabled = (value & 1 << 8) != 0;
    if (msr >= lvt_timer && msr <= static_cast<Msr>(0x837) && !enabled) value |= 1 << 16;
    cpu.msrs[msr] = value;
    return true;
  };
  start(x2apic, hardware);
  CHECK(cpu.msrs[lint1] == 0x400);  // NMI
  CHECK(cpu.msrs[lvt_timer] == timer_vector);
}

// Last: an xAPIC stays one.
TEST_CASE("as xAPIC the same stands in memory") {
  start(0);
  REQUIRE_FALSE(in_x2apic_mode());
  REQUIRE(page[0x320 / 4] == timer_vector);
  REQUIRE(page[0x340 / 4] == 0x10400);
  admit_counter_interrupt();
  REQUIRE(page[0x340 / 4] == 0x400);
  start_timer(7);
  REQUIRE(page[0x380 / 4] == 7);
}
