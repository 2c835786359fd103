// The machine's registers: one type each, with its bits under the names of the Intel SDM.
// instructions.hpp reads and writes the registers. features.hpp has what CPUID can announce.
#pragma once

#include <cstdint>

#include "kernel/base/extended_components.hpp"

namespace arch::x86 {

using Bits = std::uint64_t;
constexpr Bits bit(unsigned position) { return 1ull << position; }

// Intel SDM Vol. 3A §2.5.
struct Cr0 {
  static constexpr Bits Pe = bit(0), Mp = bit(1), Em = bit(2), Ts = bit(3), Ne = bit(5),
                        Wp = bit(16), Am = bit(18), Nw = bit(29), Cd = bit(30), Pg = bit(31);
};
struct Cr4 {
  static constexpr Bits Tsd = bit(2), Pse = bit(4), Pae = bit(5), Mce = bit(6), Pge = bit(7),
                        Pce = bit(8), Osfxsr = bit(9), Osxmmexcpt = bit(10), Umip = bit(11),
                        Fsgsbase = bit(16), Osxsave = bit(18), Smep = bit(20), Smap = bit(21),
                        Pke = bit(22);
};

// Intel SDM Vol. 1 §3.4.3. Fixed is always set.
struct Rflags {
  static constexpr Bits Fixed = bit(1), Zf = bit(6), Tf = bit(8), If = bit(9), Df = bit(10),
                        Iopl = 3 << 12, Nt = bit(14), Rf = bit(16), Vm = bit(17), Ac = bit(18),
                        Seen = 0x3e7fd7;  // all that exist except RF: ring 3 never sees RF
};

// Intel SDM Vol. 3B §17.2. Dr7 has only the bits for execution breakpoints 0 and 1. Their type and
// length are 0.
struct Dr6 {
  static constexpr Bits B0 = bit(0), B1 = bit(1), Bs = bit(14), Initial = 0xffff0ff0,
                        Breakpoints = 0xf, Causes = 0xe00f;  // B3 to B0; with BT, BS, BD
};
struct Dr7 {
  static constexpr Bits G0 = bit(1), G1 = bit(3), Enabled = 0xff, Initial = 0x400, Gd = bit(13),
                        Writable = 0xffff'ffff;  // MOV refuses others
};

// Error code of a page fault (Intel SDM Vol. 3A §4.7).
struct PageFaultCode {
  static constexpr Bits P = bit(0), Wr = bit(1), Us = bit(2), Rsvd = bit(3), Id = bit(4),
                        Pk = bit(5), Ss = bit(6);
};

// Which components XSAVE and XRSTOR manage.
using Xcr0 = reprise::ExtendedComponents;

// Intel SDM Vol. 4; AMD APM Vol. 2 appendix A.
enum class Msr : std::uint32_t {
  ApicBase = 0x1b,
  ArchCapabilities = 0x10a,
  TsxForceAbort = 0x10f,
  TsxCtrl = 0x122,
  MiscFeaturesEnables = 0x140,
  SysenterCs = 0x174,
  SysenterEsp = 0x175,
  SysenterEip = 0x176,
  McgCap = 0x179,
  McgStatus = 0x17a,
  McgCtl = 0x17b,
  DebugCtl = 0x1d9,
  Pat = 0x277,
  FixedCounter0 = 0x309,
  PerfCapabilities = 0x345,
  FixedControl = 0x38d,
  GlobalStatus = 0x38e,
  GlobalControl = 0x38f,
  GlobalStatusReset = 0x390,  // GLOBAL_OVF_CTRL before version 4
  Mc0Ctl = 0x400,             // four registers a bank: CTL, STATUS, ADDR, MISC
  Mc0Status = 0x401,
  X2ApicInitialCount = 0x838,
  Efer = 0xc0000080,
  Star = 0xc0000081,
  Lstar = 0xc0000082,
  Cstar = 0xc0000083,
  Fmask = 0xc0000084,
  FsBase = 0xc0000100,
  GsBase = 0xc0000101,
  KernelGsBase = 0xc0000102,  // what SWAPGS exchanges GsBase with
  TscAux = 0xc0000103,
  PerfEvtSel0 = 0xc0010000,
  PerfCtr0 = 0xc0010004,
  Hwcr = 0xc0010015,
  VmCr = 0xc0010114,
  VmHsavePa = 0xc0010117,
  PerfCtl0 = 0xc0010200,  // and its counter: PerfCtrExtCore
  PerfCtrCore0 = 0xc0010201,
};

struct Efer {
  static constexpr Bits Sce = bit(0), Lme = bit(8), Lma = bit(10), Nxe = bit(11), Svme = bit(12);
};
struct VmCr {  // AMD APM Vol. 2 §15.30.1
  static constexpr Bits Svmdis = bit(4);
};
struct Hwcr {
  static constexpr Bits CpuidUserDis = bit(35);
};
struct MiscFeaturesEnables {
  static constexpr Bits CpuidFault = bit(0);
};
struct ArchCapabilities {
  static constexpr Bits TsxCtrl = bit(7);
};
struct TsxCtrl {
  static constexpr Bits RtmDisable = bit(0), CpuidClear = bit(1);
};
struct TsxForceAbort {
  static constexpr Bits RtmForceAbort = bit(0);
};
struct ApicBase {  // Extd: x2APIC mode
  static constexpr Bits Extd = bit(10), En = bit(11), Base = 0x000ffffffffff000;
};

// Intel SDM Vol. 3B §15.3.1 and §15.3.2.
struct McgCap {
  static constexpr Bits Count = 0xff, CtlP = bit(8);
};
struct McgStatus {
  static constexpr Bits Ripv = bit(0);
};
struct McStatus {
  static constexpr Bits Pcc = bit(57), Val = bit(63);
};

// Intel SDM Vol. 3B §20.2.2 to §20.2.4 and §18.4.1. Bit 32 of the global registers is fixed counter
// 0.
struct FixedControl {
  static constexpr Bits Usr0 = bit(1), Pmi0 = bit(3);
};
struct GlobalStatus {
  static constexpr Bits Fixed0 = bit(32), CtrFrz = bit(59);
};
struct PerfCapabilities {
  static constexpr Bits FreezeInSmm = bit(12);
};
struct DebugCtl {
  static constexpr Bits FreezeWhileSmm = bit(14);
};
// AMD APM Vol. 2 §13.2.1. Standing: counts retired instructions of ring 3, interrupts on overflow,
// and is not enabled yet. StandingGuest: the same for all rings of a guest, and for it alone.
struct PerfEvtSel {
  static constexpr Bits Usr = bit(16), Os = bit(17), Int = bit(20), En = bit(22),
                        GuestOnly = bit(40), RetiredInstructions = 0xc0,
                        Standing = RetiredInstructions | Usr | Int,
                        StandingGuest = Standing | Os | GuestOnly;
};

// An entry of any level of the 4-level tables (Intel SDM Vol. 3A §4.5.4). Only levels 2 and 3 have
// Ps.
struct TableEntry {
  static constexpr Bits P = bit(0), Rw = bit(1), Us = bit(2), Pwt = bit(3), Pcd = bit(4),
                        A = bit(5), D = bit(6), Ps = bit(7), G = bit(8), Frame = 0x000ffffffffff000,
                        Xd = bit(63);
};

}  // namespace arch::x86
