// CPUID and MSRs.
#include "tests/catch.hpp"
#include "user/monitor/cpuid_policy.hpp"
#include "user/monitor/msr_policy.hpp"

namespace {

using monitor::CpuidPolicy;
using monitor::CpuidWords;
using monitor::GuestTime;
using monitor::MsrEffect;
using monitor::MsrPolicy;

// A machine that has everything.
CpuidWords all(std::uint32_t leaf, std::uint32_t) {
  if (leaf == 0) return {.eax = 0x20, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65};
  if (leaf == 0x80000000) return {.eax = 0x80000028, .ebx = 1, .ecx = 2, .edx = 3};
  return {~0u, ~0u, ~0u, ~0u};
}
CpuidWords ask(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  return CpuidPolicy::answer(leaf, subleaf, all);
}
bool bit(std::uint32_t word, unsigned number) { return (word >> number & 1) != 0; }

constexpr std::uint32_t efer = 0xc0000080, pat = 0x277;

}  // namespace

TEST_CASE("what is not modelled, or depends on the machine, is hidden") {
  const CpuidWords one = ask(1);
  for (const unsigned hidden :
       {3u, 5u, 12u, 13u, 15u, 17u, 21u, 24u, 26u, 27u, 28u, 29u, 30u, 31u}) {
    CAPTURE(hidden);
    CHECK_FALSE(bit(one.ecx, hidden));
  }
  for (const unsigned hidden : {7u, 9u, 12u, 14u, 21u, 22u, 28u}) {
    CAPTURE(hidden);
    CHECK_FALSE(bit(one.edx, hidden));
  }
  CHECK(one.ebx == 0x0001ffff);  // one processor, number 0
  const CpuidWords seven = ask(7);
  for (const unsigned hidden :
       {1u, 4u, 5u, 10u, 11u, 16u, 17u, 18u, 21u, 25u, 26u, 27u, 28u, 30u, 31u}) {
    CAPTURE(hidden);
    CHECK_FALSE(bit(seven.ebx, hidden));
  }
  CHECK(seven.eax == 0);
  CHECK(seven.ecx == 0);
  CHECK(seven.edx == 0);
  CHECK(ask(7, 1) == CpuidWords{});
  const CpuidWords amd = ask(0x80000001);
  CHECK_FALSE(bit(amd.ecx, 2));  // SVM
  CHECK_FALSE(bit(amd.ecx, 11));
  CHECK_FALSE(bit(amd.ecx, 16));
  CHECK_FALSE(bit(amd.ecx, 22));
  CHECK_FALSE(bit(amd.edx, 27));  // RDTSCP
  CHECK_FALSE(bit(amd.edx, 9));
}

TEST_CASE("what Linux needs stays: long mode, NX, SSE2, SMEP, SMAP and others") {
  const CpuidWords one = ask(1);
  for (const unsigned shown : {0u, 4u, 5u, 6u, 8u, 13u, 15u, 16u, 19u, 23u, 24u, 25u, 26u})
    CHECK(bit(one.edx, shown));
  for (const unsigned shown : {0u, 9u, 19u, 20u, 23u}) CHECK(bit(one.ecx, shown));
  CHECK(bit(ask(7).ebx, 7));
  CHECK(bit(ask(7).ebx, 20));
  for (const unsigned shown : {11u, 20u, 26u, 29u}) CHECK(bit(ask(0x80000001).edx, shown));
}

TEST_CASE("nothing is shown that the machine does not have") {
  const auto poor = [](std::uint32_t leaf, std::uint32_t) {
    if (leaf == 0) return CpuidWords{.eax = 1};
    return leaf == 0x80000000 ? CpuidWords{.eax = 0x80000001} : CpuidWords{};
  };
  CHECK(CpuidPolicy::answer(0, 0, poor).eax == 1);
  CHECK(CpuidPolicy::answer(0x80000000, 0, poor).eax == 0x80000001);
  CHECK(CpuidPolicy::answer(1, 0, poor).edx == 0);
  CHECK(CpuidPolicy::answer(7, 0, poor) == CpuidWords{});
  CHECK(CpuidPolicy::answer(0x80000007, 0, poor) == CpuidWords{});
}

TEST_CASE("leaves that are not listed are empty, and the last ones are named so") {
  CHECK(ask(0).eax == 7);
  CHECK(ask(0).ebx == 0x68747541);
  CHECK(ask(0x80000000).eax == 0x80000008);
  for (const std::uint32_t leaf :
       {3u, 5u, 6u, 0xau, 0xbu, 0xdu, 0x12u, 0x15u, 0x1fu, 0x8000000au, 0x8000001eu, 0x40000000u})
    CHECK(ask(leaf) == CpuidWords{});
  CHECK(ask(4).eax == 0x3fff);
  CHECK(ask(0x80000007) == CpuidWords{.edx = 1 << 8});
  CHECK(ask(0x80000008) == CpuidWords{.eax = ~0u});
  CHECK(ask(0x80000003) == all(0x80000003, 0));
}

TEST_CASE("EFER keeps LMA, takes what exists, and refuses the rest") {
  reprise_guest_state state{};
  CHECK(MsrPolicy::is_in_state(efer));
  CHECK(MsrPolicy::write(efer, 0x901, state) == MsrEffect::StateChanged);
  CHECK(state.efer == 0x901);
  state.efer = 0xd01;  // the processor has set LMA
  state.cr0 = 1ul << 31;
  CHECK(MsrPolicy::write(efer, 0x901, state) == MsrEffect::StateChanged);
  CHECK(state.efer == 0xd01);
  CHECK(MsrPolicy::read(efer, state, GuestTime{}) == 0xd01);
  CHECK(MsrPolicy::write(efer, 0x801, state) == MsrEffect::Refused);  // LME while paging
  for (const std::uint64_t unknown : {1ul << 12, 1ul << 13, 1ul << 14, 1ul << 1, 1ul << 63})
    CHECK(MsrPolicy::write(efer, 0xd01 | unknown, state) == MsrEffect::Refused);
  CHECK(state.efer == 0xd01);
}

TEST_CASE("PAT takes memory types only") {
  reprise_guest_state state{};
  CHECK(MsrPolicy::is_in_state(pat));
  CHECK(MsrPolicy::write(pat, 0x0007010600070106, state) == MsrEffect::StateChanged);
  CHECK(MsrPolicy::read(pat, state, GuestTime{}) == 0x0007010600070106);
  for (const std::uint64_t wrong : {0x02ul, 0x0300ul, 0x08ul << 56, 0xfful})
    CHECK(MsrPolicy::write(pat, wrong, state) == MsrEffect::Refused);
  CHECK(state.pat == 0x0007010600070106);
}

TEST_CASE("other registers read 0 and keep nothing; the time stamp is guest time") {
  reprise_guest_state state{};
  CHECK(MsrPolicy::read(0x10, state, GuestTime{123'456}) == 123'456);
  for (const std::uint32_t msr : {0x8bu, 0xc0010015u, 0xc0011029u, 0xc0010055u, 0xc0010000u,
                                  0xc0010003u, 0xc0010007u, 0x1bu}) {
    CHECK(MsrPolicy::is_known(msr));
    CHECK_FALSE(MsrPolicy::is_in_state(msr));
    CHECK(MsrPolicy::write(msr, ~0ul, state) == MsrEffect::Done);
    CHECK(MsrPolicy::read(msr, state, GuestTime{5}) == 0);
  }
  CHECK_FALSE(MsrPolicy::is_known(0x1234));
  CHECK(MsrPolicy::read(0x1234, state, GuestTime{5}) == 0);
}
