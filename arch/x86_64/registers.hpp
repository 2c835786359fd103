// The machine's registers: one type each, its fields under the names of the Intel SDM. A field is a
// type too: `Cr0::Wp::mask` is its bits, `Rflags::Iopl::get(value)` reads it, `::put(3)` makes it.
// How to read and write the registers stands in instructions.hpp.
#pragma once

#include <cstdint>

namespace arch::x86 {

template <unsigned Position, unsigned Width = 1>
struct Field {
  static_assert(Width >= 1 && Position + Width <= 64);
  static constexpr std::uint64_t mask = (Width == 64 ? ~0ull : (1ull << Width) - 1) << Position;
  [[nodiscard]] static constexpr std::uint64_t get(std::uint64_t value) {
    return (value & mask) >> Position;
  }
  [[nodiscard]] static constexpr std::uint64_t put(std::uint64_t field) {
    return (field << Position) & mask;
  }
};

// Intel SDM Vol. 3A §2.5.
struct Cr0 {
  using Pe = Field<0>;
  using Mp = Field<1>;
  using Em = Field<2>;
  using Ts = Field<3>;
  using Ne = Field<5>;
  using Wp = Field<16>;
  using Am = Field<18>;
  using Nw = Field<29>;
  using Cd = Field<30>;
  using Pg = Field<31>;
};

struct Cr4 {
  using Tsd = Field<2>;
  using Pae = Field<5>;
  using Mce = Field<6>;
  using Pge = Field<7>;
  using Pce = Field<8>;
  using Osfxsr = Field<9>;
  using Osxmmexcpt = Field<10>;
  using Umip = Field<11>;
  using Fsgsbase = Field<16>;
  using Osxsave = Field<18>;
  using Smep = Field<20>;
  using Smap = Field<21>;
  using Pke = Field<22>;
};

// Intel SDM Vol. 1 §3.4.3.
struct Rflags {
  using Fixed = Field<1>;  // always set
  using Tf = Field<8>;
  using If = Field<9>;
  using Df = Field<10>;
  using Iopl = Field<12, 2>;
  using Nt = Field<14>;
  using Rf = Field<16>;
  using Ac = Field<18>;
};

// Intel SDM Vol. 1 §13.3: which components XSAVE and XRSTOR manage.
struct Xcr0 {
  using X87 = Field<0>;
  using Sse = Field<1>;
  using Avx = Field<2>;
  using Avx512 = Field<5, 3>;  // opmask, ZMM_Hi256 and Hi16_ZMM: of use only together
};

// Intel SDM Vol. 4; AMD APM Vol. 2 appendix A.
enum class Msr : std::uint32_t {
  ApicBase = 0x1b,
  McgCap = 0x179,
  McgStatus = 0x17a,
  McgCtl = 0x17b,
  Pat = 0x277,
  Mc0Ctl = 0x400,  // four registers a bank: CTL, STATUS, ADDR, MISC
  Mc0Status = 0x401,
  X2ApicInitialCount = 0x838,
  Efer = 0xc0000080,
  Star = 0xc0000081,
  Lstar = 0xc0000082,
  Fmask = 0xc0000084,
  FsBase = 0xc0000100,
  GsBase = 0xc0000101,
};

struct Efer {
  using Sce = Field<0>;
  using Nxe = Field<11>;
};

struct ApicBase {
  using Extd = Field<10>;  // x2APIC mode
  using En = Field<11>;
  using Base = Field<12, 40>;
};

// Selectors that SYSCALL loads: CS, and SS = CS + 8 (Intel SDM Vol. 2B, SYSCALL).
struct Star {
  using SyscallCs = Field<32, 16>;
  using SysretCs = Field<48, 16>;
};

// Intel SDM Vol. 3B §15.3.1 and §15.3.2.
struct McgCap {
  using Count = Field<0, 8>;
  using CtlP = Field<8>;
};
struct McgStatus {
  using Ripv = Field<0>;
};
struct McStatus {
  using Pcc = Field<57>;
  using Val = Field<63>;
};

// What CPUID says; the field's register stands in the type's name (Intel SDM Vol. 2A, CPUID).
struct Cpuid1Edx {
  using Msr = Field<5>;
  using Mce = Field<7>;
  using Apic = Field<9>;
  using Pge = Field<13>;
  using Mca = Field<14>;
  using Pat = Field<16>;
  using Fxsr = Field<24>;
  using Sse = Field<25>;
  using Sse2 = Field<26>;
};
struct Cpuid1Ecx {
  using X2Apic = Field<21>;
  using Xsave = Field<26>;
  using Avx = Field<28>;
  using Rdrand = Field<30>;
  using Hypervisor = Field<31>;
};
struct Cpuid7Ebx {
  using Fsgsbase = Field<0>;
  using Smep = Field<7>;
  using Smap = Field<20>;
  using Avx512F = Field<16>;
  using Rdseed = Field<18>;
  using Clflushopt = Field<23>;
};
struct Cpuid7Ecx {
  using Umip = Field<2>;
};
struct Cpuid80000001Edx {
  using Syscall = Field<11>;
  using Nx = Field<20>;
};
struct Cpuid80000007Edx {
  using InvariantTsc = Field<8>;
};

// An entry of any level of the 4-level tables (Intel SDM Vol. 3A §4.5.4). Ps: in levels 2 and 3.
struct TableEntry {
  using P = Field<0>;
  using Rw = Field<1>;
  using Us = Field<2>;
  using Pwt = Field<3>;
  using Pcd = Field<4>;
  using A = Field<5>;
  using D = Field<6>;
  using Ps = Field<7>;
  using G = Field<8>;
  using Frame = Field<12, 40>;
  using Xd = Field<63>;
};

// Encodings that the manuals print in full: a field moved by mistake does not compile.
static_assert(Cr0::Wp::mask == 0x10000 && Cr0::Pg::mask == 0x80000000);
static_assert(Cr4::Smap::mask == 0x200000 && Cr4::Osfxsr::mask == 0x200);
static_assert(Rflags::If::mask == 0x200 && Rflags::Iopl::put(3) == 0x3000);
static_assert(Rflags::Iopl::get(0x2fff) == 2 && Rflags::Ac::mask == 0x40000);
static_assert(Xcr0::Avx512::mask == 0xe0);
static_assert(TableEntry::Frame::mask == 0x000ffffffffff000);
static_assert(Efer::Nxe::mask == 0x800 && Star::SysretCs::put(0x10) == 0x0010000000000000);

}  // namespace arch::x86
