// CPUID, XSETBV and MSRs.
#include "tests/catch.hpp"
#include "user/monitor/cpuid_policy.hpp"
#include "user/monitor/extended_state.hpp"
#include "user/monitor/msr_policy.hpp"

namespace {

using monitor::CpuidPolicy;
using monitor::CpuidWords;
using monitor::extended_state;
using monitor::ExtendedState;
using monitor::GuestTime;
using monitor::MsrEffect;
using monitor::MsrPolicy;
using monitor::XsetbvEffect;

// A machine that has everything.
CpuidWords all(std::uint32_t leaf, std::uint32_t) {
  if (leaf == 0) return {.eax = 0x20, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65};
  if (leaf == 0x80000000) return {.eax = 0x80000028, .ebx = 1, .ecx = 2, .edx = 3};
  return {~0u, ~0u, ~0u, ~0u};
}
constexpr std::uint64_t avx = 7, avx512 = 0xe7;

CpuidWords ask(std::uint32_t leaf, std::uint32_t subleaf = 0, const ExtendedState& extended = {}) {
  return CpuidPolicy::answer(leaf, subleaf, extended, all);
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

TEST_CASE("AVX and AVX-512 are shown where their state is offered, and nothing else with them") {
  CHECK(ask(0).eax == 7);
  CHECK(ask(0, 0, {.offered = avx}).eax == 0xd);
  const CpuidWords plain = ask(1), with_avx = ask(1, 0, {.offered = avx});
  CHECK((plain.ecx ^ with_avx.ecx) == (1u << 26 | 1u << 12 | 1u << 28 | 1u << 29));
  CHECK((ask(1, 0, {.offered = 3}).ecx ^ plain.ecx) == 1u << 26);
  CHECK((ask(7).ebx ^ ask(7, 0, {.offered = avx}).ebx) == 1u << 5);
  CHECK(ask(7, 0, {.offered = avx}).ecx == (1u << 8 | 1u << 9 | 1u << 10));
  const CpuidWords wide = ask(7, 0, {.offered = avx512});
  for (const unsigned shown : {5u, 16u, 17u, 28u, 30u, 31u}) CHECK(bit(wide.ebx, shown));
  CHECK_FALSE(bit(wide.ebx, 26));
  CHECK(bit(wide.ecx, 11));
  CHECK_FALSE(bit(wide.ecx, 3));  // PKU
}

TEST_CASE("OSXSAVE in CPUID is the guest's CR4, whatever the machine's is") {
  CHECK(bit(ask(1, 0, {.offered = avx, .is_on = true}).ecx, 27));
  CHECK_FALSE(bit(ask(1, 0, {.offered = avx}).ecx, 27));
  CHECK_FALSE(bit(ask(1, 0, {.is_on = true}).ecx, 27));
}

TEST_CASE("leaf 0Dh tells components, sizes and places, and no variant of XSAVE") {
  const auto source = [](std::uint32_t leaf, std::uint32_t subleaf) -> CpuidWords {
    if (leaf == 0) return {.eax = 0x20};
    switch (subleaf) {
      case 2: return {.eax = 256, .ebx = 576, .ecx = 1, .edx = 2};
      case 5: return {.eax = 64, .ebx = 1088};
      case 6: return {.eax = 512, .ebx = 1152};
      case 7: return {.eax = 1024, .ebx = 1664};
      default: return {~0u, ~0u, ~0u, ~0u};
    }
  };
  const auto area = [&](std::uint32_t subleaf, const ExtendedState& extended) {
    return CpuidPolicy::answer(0xd, subleaf, extended, source);
  };
  CHECK(area(0, {.offered = avx, .enabled = 1}) == CpuidWords{avx, 576, 832, 0});
  CHECK(area(0, {.offered = avx512, .enabled = avx}) == CpuidWords{avx512, 832, 2688, 0});
  CHECK(area(0, {}) == CpuidWords{});
  CHECK(area(1, {.offered = avx512}) == CpuidWords{});
  CHECK(area(2, {.offered = avx}) == CpuidWords{.eax = 256, .ebx = 576});
  CHECK(area(5, {.offered = avx}) == CpuidWords{});
  CHECK(area(9, {.offered = avx512}) == CpuidWords{});
  CHECK(area(63, {.offered = avx512}) == CpuidWords{});
  CHECK(area(66, {.offered = avx512}) == CpuidWords{});
}

TEST_CASE("XSETBV takes what is offered and sound, in ring 0 with OSXSAVE") {
  reprise_guest_state state{};
  state.cr4 = 1 << 18;
  state.xcr0 = 1;
  const auto set = [&](std::uint64_t value, std::uint64_t machine = avx512,
                       std::uint32_t number = 0) {
    return carry_out_xsetbv(number, value, extended_state(machine, state), state);
  };
  for (const std::uint64_t sound : {1ul, 3ul, avx, avx512}) {
    CAPTURE(sound);
    CHECK(set(sound) == XsetbvEffect::StateChanged);
    CHECK(state.xcr0 == sound);
  }
  state.xcr0 = 1;
  for (const std::uint64_t wrong : {0ul, 2ul, 6ul, 5ul, 0x27ul, 0xe3ul, 0x207ul, 1ul << 63 | 7}) {
    CAPTURE(wrong);
    CHECK(set(wrong) == XsetbvEffect::Refused);
  }
  CHECK(set(avx, 3) == XsetbvEffect::Refused);  // not offered
  CHECK(set(3, avx, 1) == XsetbvEffect::Refused);
  state.cpl = 3;
  CHECK(set(3) == XsetbvEffect::Refused);
  state.cpl = 0;
  CHECK(set(3, 0) == XsetbvEffect::Undefined);
  state.cr4 = 0;
  CHECK(set(3) == XsetbvEffect::Undefined);
  CHECK(state.xcr0 == 1);
  state.cr4 = 1 << 18;
  CHECK(extended_state(0x3ff, state).offered == avx512);  // no MPX, no PKRU
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
  CHECK(CpuidPolicy::answer(0, 0, {}, poor).eax == 1);
  CHECK(CpuidPolicy::answer(0x80000000, 0, {}, poor).eax == 0x80000001);
  CHECK(CpuidPolicy::answer(1, 0, {}, poor).edx == 0);
  CHECK(CpuidPolicy::answer(7, 0, {.offered = avx512}, poor) == CpuidWords{});
  CHECK(CpuidPolicy::answer(0x80000007, 0, {}, poor) == CpuidWords{});
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
