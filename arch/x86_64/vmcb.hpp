// The virtual machine control block (VMCB): what the CPU keeps of a guest between two VMRUNs (AMD
// APM Vol. 2 appendix B). Names and offsets are the manual's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"

namespace arch::x86 {

// Bits of intercepts_1 and intercepts_2 (AMD APM Vol. 2 appendix B, offsets 00Ch and 010h).
struct Intercept1 {
  static constexpr std::uint32_t Intr = bit(0), Nmi = bit(1), Smi = bit(2), Init = bit(3),
                                 Vintr = bit(4), Rdtsc = bit(14), Rdpmc = bit(15), Cpuid = bit(18),
                                 Invd = bit(22), Hlt = bit(24), Invlpga = bit(26), Ioio = bit(27),
                                 Msr = bit(28), Freeze = bit(30),
                                 Shutdown = static_cast<std::uint32_t>(bit(31));
};
struct Intercept2 {
  static constexpr std::uint32_t Vmrun = bit(0), Vmmcall = bit(1), Vmload = bit(2), Vmsave = bit(3),
                                 Stgi = bit(4), Clgi = bit(5), Skinit = bit(6), Rdtscp = bit(7),
                                 Monitor = bit(10), Mwait = bit(11), MwaitArmed = bit(12),
                                 Xsetbv = bit(13), Rdpru = bit(14);
};

struct VirtualInterrupt {  // offset 060h
  static constexpr std::uint64_t Tpr = 0xff, Irq = bit(8), IgnoreTpr = bit(20), Masking = bit(24);
};

// Exceptions that are exits whatever else is going on, a bit for each vector.
inline constexpr std::uint32_t always_intercepted = bit(machine_check_vector);

// EVENTINJ and EXITINTINFO (AMD APM Vol. 2 §15.20, §15.7.2).
struct GuestEvent {
  static constexpr std::uint64_t Vector = 0xff, Type = 7 << 8, Exception = 3 << 8,
                                 SoftwareInterrupt = 4 << 8, ErrorCode = bit(11), Valid = bit(31);
};

// An exit code (AMD APM Vol. 2 appendix C); those that the kernel knows are GuestExit.
inline constexpr std::uint64_t exit_nested_fault = 0x400;

struct Segment {
  std::uint16_t selector, attributes;
  std::uint32_t limit;
  std::uint64_t base;
};

struct Vmcb {
  // Control area.
  std::uint16_t cr_reads, cr_writes, dr_reads, dr_writes;
  std::uint32_t exceptions;
  std::uint32_t intercepts_1, intercepts_2;
  std::array<std::uint8_t, 0x2c> reserved_14;
  std::uint64_t io_map, msr_map, tsc_offset;
  std::uint32_t asid;
  std::uint32_t tlb_control;
  std::uint64_t virtual_interrupt;
  std::uint64_t shadow;
  std::uint64_t exit_code, exit_info_1, exit_info_2, exit_event;
  std::uint64_t nested_paging;
  std::array<std::uint8_t, 0x10> reserved_98;
  std::uint64_t event;
  std::uint64_t nested_root;
  std::array<std::uint8_t, 8> lbr;
  std::uint64_t clean;
  std::uint64_t next_rip;
  std::array<std::uint8_t, 0x330> reserved_d0;
  // State save area.
  std::array<Segment, 10> segments;  // ES CS SS DS FS GS GDTR LDTR IDTR TR
  std::array<std::uint8_t, 0x2b> reserved_4a0;
  std::uint8_t cpl;
  std::uint32_t reserved_4cc;
  std::uint64_t efer;
  std::array<std::uint8_t, 0x70> reserved_4d8;
  std::uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
  std::array<std::uint8_t, 0x58> reserved_580;
  std::uint64_t rsp;
  std::array<std::uint8_t, 0x18> reserved_5e0;
  std::uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
  std::uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
  std::array<std::uint8_t, 0x20> reserved_648;
  std::uint64_t pat;
};
static_assert(offsetof(Vmcb, io_map) == 0x40 && offsetof(Vmcb, asid) == 0x58);
static_assert(offsetof(Vmcb, shadow) == 0x68 && offsetof(Vmcb, exit_event) == 0x88);
static_assert(offsetof(Vmcb, nested_paging) == 0x90 && offsetof(Vmcb, event) == 0xa8);
static_assert(offsetof(Vmcb, nested_root) == 0xb0 && offsetof(Vmcb, next_rip) == 0xc8);
static_assert(offsetof(Vmcb, segments) == 0x400 && offsetof(Vmcb, cpl) == 0x4cb);
static_assert(offsetof(Vmcb, efer) == 0x4d0 && offsetof(Vmcb, cr4) == 0x548);
static_assert(offsetof(Vmcb, rip) == 0x578 && offsetof(Vmcb, rsp) == 0x5d8);
static_assert(offsetof(Vmcb, rax) == 0x5f8 && offsetof(Vmcb, cr2) == 0x640);
static_assert(offsetof(Vmcb, pat) == 0x668);

}  // namespace arch::x86
