// How the CPU is set up, for CPUs of several ages: fake CPUID leaves in, control registers out.
#include <set>
#include <string>
#include <vector>

#include "arch/clock.hpp"
#include "arch/extended_state.hpp"
#include "arch/features.hpp"
#include "arch/nondeterminism.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/control_registers.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;

namespace {

struct Exit {
  reprise::ExitCode code;
};
std::string said;
std::set<Msr> trial_registers;  // those that take a value on trial; the rest fault

constexpr std::uint32_t every_needed_edx = 1 << 5 | 1 << 9 | 1 << 13 | 1 << 24 | 1 << 26;

void become_oldest() {
  cpu = {};
  said.clear();
  trial_registers.clear();
  board.extended_state = {};
  cpu.leaves[{0, 0}].eax = 1;
  cpu.leaves[{1, 0}].edx = every_needed_edx;
  cpu.leaves[{0x80000000, 0}].eax = 0x80000008;
  cpu.leaves[{0x80000001, 0}].edx = 1 << 11 | 1 << 20 | 1 << 29;
}

void become_newest() {
  become_oldest();
  cpu.leaves[{0, 0}].eax = 0x20;
  cpu.leaves[{1, 0}].edx |= 1 << 16;
  cpu.leaves[{7, 0}] = {0, 1 << 0 | 1 << 7 | 1 << 20, 1 << 2 | 1 << 3, 0};  // 3: protection keys
}

// A CPU whose XSAVE offers `offered`; the image's size follows XCR0 as leaf 0Dh says.
void offer_xsave(std::uint32_t offered, std::uint32_t avx512_bytes) {
  cpu.leaves[{1, 0}].ecx |= 1 << 26;
  cpu.leaves[{13, 0}].eax = offered;
  cpu.leaves[{13, 2}] = {256, 576, 0, 0};
  cpu.leaves[{13, 7}] = {1024, avx512_bytes - 1024, 0, 0};
  cpu.before_cpuid = [avx512_bytes](FakeCpu& c) {
    c.leaves[{13, 0}].ebx = (c.xcr0 & 0xe0) != 0 ? avx512_bytes : (c.xcr0 & 4) != 0 ? 832 : 576;
  };
}

}  // namespace

extern "C" void system_call_entry() {}
void arch::write_emergency(std::string_view text) { said += text; }
void arch::exit_machine(reprise::ExitCode code) { throw Exit{code}; }
std::uint64_t arch::time_stamp() { return 0x123456789abcdef0; }
extern "C" bool try_write_msr(Msr msr, std::uint64_t value);
bool try_write_msr(Msr msr, std::uint64_t value) {
  if (trial_registers.contains(msr)) cpu.msrs[msr] = value;
  return trial_registers.contains(msr);
}

TEST_CASE("a CPU that has what is needed passes, each missing feature is named") {
  become_oldest();
  REQUIRE_NOTHROW(require_features());
  const struct {
    std::uint32_t leaf;
    unsigned bit;
    const char* name;
  } needs[] = {{1, 5, "msr"},         {1, 9, "apic"},  {1, 13, "pge"},
               {1, 24, "fxsr"},       {1, 26, "sse2"}, {0x80000001, 11, "syscall"},
               {0x80000001, 20, "nx"}};
  for (const auto& need : needs) {
    become_oldest();
    cpu.leaves[{need.leaf, 0}].edx &= ~(1u << need.bit);
    try {
      require_features();
      FAIL("passed without " << need.name);
    } catch (const Exit& e) {
      REQUIRE(e.code == reprise::ExitCode::MachineUnfit);
    }
    REQUIRE(said.find(std::string{"missing="} + need.name + "\n") != std::string::npos);
  }
  become_oldest();
  cpu.leaves[{0x80000000, 0}].eax = 0x80000000;  // leaves above exist only as far as this says
  REQUIRE_THROWS_AS(require_features(), Exit);
}

TEST_CASE("every protection that the CPU has is on, and none that it lacks") {
  become_oldest();
  cpu.cr0 = Cr0::Am | Cr0::Cd | Cr0::Nw | Cr0::Pg | Cr0::Pe;
  cpu.cr4 = Cr4::Pae | Cr4::Pce | Cr4::Pke;
  set_control_registers();
  REQUIRE(cpu.cr0 == (Cr0::Wp | Cr0::Pg | Cr0::Pe));
  REQUIRE(cpu.cr4 == (Cr4::Pae | Cr4::Tsd));
  REQUIRE_FALSE(cpu.msrs.contains(Msr::Pat));
  become_newest();
  set_control_registers();
  REQUIRE(cpu.cr4 == (Cr4::Pae | Cr4::Tsd | Cr4::Smep | Cr4::Smap | Cr4::Umip | Cr4::Fsgsbase));
  REQUIRE((cpu.msrs[Msr::Efer] & (Efer::Nxe | Efer::Sce)) == 0x801);
  REQUIRE((cpu.msrs[Msr::Pat] >> 8 & 7) == 1);  // write combining, by PWT
  REQUIRE((cpu.msrs[Msr::Pat] & 7) == 6);       // write back
}

TEST_CASE("every error bank is switched on, a check is recoverable if the context is whole") {
  become_oldest();
  set_control_registers();
  REQUIRE((cpu.cr4 & Cr4::Mce) == 0);
  cpu.leaves[{1, 0}].edx |= 1 << 7 | 1 << 14;
  cpu.msrs[Msr::McgCap] = 3 | McgCap::CtlP;
  set_control_registers();
  REQUIRE((cpu.cr4 & Cr4::Mce) != 0);
  REQUIRE(cpu.msrs[Msr::McgCtl] == ~0ull);
  REQUIRE(cpu.msrs[static_cast<Msr>(0x408)] == ~0ull);        // the third bank's control
  REQUIRE_FALSE(cpu.msrs.contains(static_cast<Msr>(0x40c)));  // there is no fourth
  const auto third_status = static_cast<Msr>(0x409);
  for (const bool whole : {true, false}) {
    for (const bool lost : {true, false}) {
      cpu.msrs[Msr::McgStatus] = whole ? McgStatus::Ripv : 0;
      cpu.msrs[third_status] = McStatus::Val | (lost ? McStatus::Pcc : 0);
      REQUIRE(clear_machine_check() == (whole && !lost));
      REQUIRE(cpu.msrs[third_status] == 0);
      REQUIRE(cpu.msrs[Msr::McgStatus] == 0);
    }
  }
}

TEST_CASE("SYSCALL enters with TF, IF, DF, NT and AC clear, in ring 0's segments") {
  become_newest();
  set_control_registers();
  REQUIRE(cpu.msrs[Msr::Fmask] == (1u << 8 | 1u << 9 | 1u << 10 | 1u << 14 | 1u << 18));
  REQUIRE((cpu.msrs[Msr::Star] >> 32 & 0xffff) == 0x08);
  REQUIRE(cpu.msrs[Msr::Lstar] == reinterpret_cast<std::uint64_t>(system_call_entry));
}

TEST_CASE("a CPU without XSAVE works with FXSAVE") {
  become_oldest();
  cpu.cr0 = Cr0::Em | Cr0::Ts;
  start_extended_state();
  REQUIRE(board.extended_state.components == 0);
  REQUIRE(board.extended_state.words == 64);
  REQUIRE(cpu.cr0 == (Cr0::Mp | Cr0::Ne));
  REQUIRE(cpu.cr4 == (Cr4::Osfxsr | Cr4::Osxmmexcpt));
}

TEST_CASE("all of x87, SSE, AVX and AVX-512 that the CPU offers is switched on, nothing else") {
  const struct {
    std::uint32_t offered, avx512_bytes, components;
    std::size_t words, ymm_word;
  } cpus[] = {
      {0x3, 0, 0x3, 72, 0},          // XSAVE without AVX
      {0x207, 0, 0x7, 104, 72},      // AVX, protection keys offered
      {0x2ff, 2688, 0xe7, 336, 72},  // AVX-512, MPX and protection keys offered
      {0x2e7, 2432, 0xe7, 304, 72},  // AVX-512 in AMD's layout
      {0x67, 2688, 0x7, 104, 72},    // half of AVX-512 is none
      {0xe7, 4096, 0x7, 104, 72},    // an image that is too large: without AVX-512
      {0xe3, 2688, 0x3, 72, 0},      // AVX-512 without AVX is none
  };
  for (const auto& c : cpus) {
    become_newest();
    offer_xsave(c.offered, c.avx512_bytes);
    for (const bool tells_use : {false, true}) {
      cpu.leaves[{13, 1}].eax = tells_use ? 4 : 0;
      start_extended_state();
      REQUIRE(board.extended_state.tells_use == tells_use);
    }
    INFO(std::hex << c.offered);
    REQUIRE(cpu.xcr0 == c.components);
    REQUIRE(board.extended_state.components == c.components);
    REQUIRE(board.extended_state.words == c.words);
    REQUIRE(board.extended_state.places[2].first == c.ymm_word);
    if (c.ymm_word != 0) {
      REQUIRE(board.extended_state.places[2].count == 32);
      REQUIRE(board.extended_state.places[7].first == (c.avx512_bytes - 1024) / 8);
      REQUIRE(board.extended_state.places[7].count == 128);
    }
    REQUIRE((cpu.cr4 & Cr4::Osxsave) != 0);
    REQUIRE((cpu.cr4 & Cr4::Pke) == 0);
    REQUIRE(board.extended_state.words <= extended_words);
  }
}

TEST_CASE("the bits that MXCSR has are those that FXSAVE tells, or the default") {
  become_oldest();
  cpu.mxcsr_mask = 0xffff;
  start_extended_state();
  REQUIRE(board.extended_state.mxcsr_mask == 0xffff);
  become_oldest();
  cpu.mxcsr_mask = 0;
  start_extended_state();
  REQUIRE(board.extended_state.mxcsr_mask == 0xffbf);
}

TEST_CASE("CPUID is made to fault in ring 3 where the CPU can, by Intel's way and by AMD's") {
  become_newest();
  set_control_registers();
  REQUIRE_FALSE(cpu.msrs.contains(Msr::MiscFeaturesEnables));
  REQUIRE_FALSE(cpu.msrs.contains(Msr::Hwcr));
  become_newest();
  trial_registers = {Msr::MiscFeaturesEnables};
  set_control_registers();
  REQUIRE(cpu.msrs[Msr::MiscFeaturesEnables] == 1);
  become_newest();
  trial_registers = {Msr::MiscFeaturesEnables};
  cpu.leaves[{0x80000000, 0}].eax = 0x80000021;
  cpu.leaves[{0x80000021, 0}].eax = 1 << 17;
  cpu.msrs[Msr::Hwcr] = 1 << 24;  // what firmware has set stays
  set_control_registers();
  REQUIRE(cpu.msrs[Msr::Hwcr] == (1ull << 35 | 1 << 24));
  REQUIRE_FALSE(cpu.msrs.contains(Msr::MiscFeaturesEnables));
}

TEST_CASE("transactions are switched off where a register says so, and only there") {
  for (const bool announced : {false, true}) {
    for (const bool controlled : {false, true}) {
      become_newest();
      if (announced) cpu.leaves[{7, 0}].edx = 1 << 29;
      cpu.msrs[Msr::ArchCapabilities] = controlled ? 1 << 7 : 0;
      set_control_registers();
      REQUIRE(cpu.msrs.contains(Msr::TsxCtrl) == (announced && controlled));
      if (announced && controlled) REQUIRE(cpu.msrs[Msr::TsxCtrl] == 3);
      REQUIRE_FALSE(cpu.msrs.contains(Msr::TsxForceAbort));
    }
  }
  become_newest();
  cpu.leaves[{7, 0}].edx = 1 << 13;
  set_control_registers();
  REQUIRE(cpu.msrs[Msr::TsxForceAbort] == 1);
}

TEST_CASE("RDPID reads 0, as the stand-in for RDTSCP says, whatever firmware left there") {
  become_newest();
  cpu.msrs[Msr::TscAux] = 7;
  cpu.leaves[{0x80000001, 0}].edx |= 1 << 27;
  set_control_registers();
  REQUIRE(cpu.msrs[Msr::TscAux] == 0);
}

namespace {

UserState stood_in(const std::vector<std::uint8_t>& code, std::uint64_t rax, std::uint64_t rcx) {
  UserState state;
  state[Register::Rip] = 0x401000;
  state[Register::Rax] = rax;
  state[Register::Rbx] = state[Register::Rdx] = ~0ull;
  state[Register::Rcx] = rcx;
  REQUIRE(emulate_instruction(state, code));
  return state;
}

}  // namespace

TEST_CASE("RDTSC and RDTSCP get the one time, in the registers that they write") {
  const UserState rdtsc = stood_in({0x0f, 0x31, 0xf9}, ~0ull, ~0ull);
  REQUIRE(rdtsc[Register::Rax] == 0x9abcdef0);
  REQUIRE(rdtsc[Register::Rdx] == 0x12345678);
  REQUIRE(rdtsc[Register::Rcx] == ~0ull);
  REQUIRE(rdtsc[Register::Rbx] == ~0ull);
  REQUIRE(rdtsc[Register::Rip] == 0x401002);
  const UserState rdtscp = stood_in({0x0f, 0x01, 0xf9}, ~0ull, ~0ull);
  REQUIRE(rdtscp[Register::Rax] == 0x9abcdef0);
  REQUIRE(rdtscp[Register::Rdx] == 0x12345678);
  REQUIRE(rdtscp[Register::Rcx] == 0);
  REQUIRE(rdtscp[Register::Rip] == 0x401003);
}

TEST_CASE("CPUID in ring 3 tells all but what two runs would not agree on") {
  become_newest();
  cpu.leaves[{1, 0}] = {1, 2, ~0u, 4};
  cpu.leaves[{7, 0}] = {1, ~0u, ~0u, ~0u};
  cpu.leaves[{7, 1}] = {~0u, ~0u, ~0u, ~0u};
  const UserState one = stood_in({0x0f, 0xa2, 0}, 0xffffffff00000001, 0xffffffff00000000);
  REQUIRE(one[Register::Rax] == 1);
  REQUIRE(one[Register::Rbx] == 2);
  REQUIRE(one[Register::Rcx] == 0xbfffffff);  // RDRAND
  REQUIRE(one[Register::Rdx] == 4);
  REQUIRE(one[Register::Rip] == 0x401002);
  const UserState seven = stood_in({0x0f, 0xa2, 0}, 7, 0);
  REQUIRE(seven[Register::Rbx] == (0xffffffff & ~(1u << 4 | 1u << 11 | 1u << 18)));
  REQUIRE(seven[Register::Rcx] == (0xffffffff & ~(1u << 5)));
  REQUIRE(seven[Register::Rdx] == (0xffffffff & ~(1u << 11 | 1u << 13)));
  const UserState next = stood_in({0x0f, 0xa2, 0}, 7, 1);
  REQUIRE(next[Register::Rbx] == 0xffffffff);
  REQUIRE(next[Register::Rcx] == 0xffffffff);
}

TEST_CASE("prefixes before RDTSC, RDTSCP and CPUID change nothing but the length") {
  become_newest();
  cpu.leaves[{1, 0}] = {1, 2, 3, 4};
  using Code = std::vector<std::uint8_t>;
  for (const Code& prefixes : {Code{0x48},
                               {0x66},
                               {0x2e},
                               {0x67, 0xf2},
                               {0xf3, 0x65, 0x41},
                               {0x40, 0x36, 0x4f},
                               Code(12, 0x66)}) {
    const auto behind = [&](Code opcode) {
      opcode.insert(opcode.begin(), prefixes.begin(), prefixes.end());
      const UserState state = stood_in(opcode, 1, 0);
      REQUIRE(state[Register::Rip] == 0x401000 + opcode.size());
      return state[Register::Rax];
    };
    REQUIRE(behind({0x0f, 0x31}) == 0x9abcdef0);
    REQUIRE(behind({0x0f, 0x01, 0xf9}) == 0x9abcdef0);
    REQUIRE(behind({0x0f, 0xa2}) == 1);
  }
}

TEST_CASE("nothing else is stood in for") {
  for (const std::vector<std::uint8_t>& code : {std::vector<std::uint8_t>{0x0f, 0x01, 0xf8},
                                                {0x0f, 0x33, 0},
                                                {0x0f, 0x00, 0xf9},
                                                {0x31, 0x0f, 0},
                                                {0x0e, 0xa2, 0},
                                                {0, 0, 0},
                                                {0xf4, 0xa2, 0x31},
                                                {0x48, 0x0f, 0x33},
                                                {0x66, 0xf4, 0x0f, 0x31},
                                                {},
                                                {0x0f},
                                                {0x66, 0x0f},
                                                {0x0f, 0x01},
                                                {0x66, 0x66}}) {
    UserState state;
    state[Register::Rip] = 0x401000;
    REQUIRE_FALSE(emulate_instruction(state, code));
    REQUIRE(state[Register::Rip] == 0x401000);
  }
}
