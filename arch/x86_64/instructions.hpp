// All inline assembly of the kernel, one instruction a function. Each of the few pairs says why it
// is one function. Nothing here decides anything. registers.hpp has the registers' bits. Where an
// instruction takes a number in EDX:EAX, the CPU ignores the upper halves of RDX and RAX.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/x86_64/registers.hpp"

// Functions that move one register out or in.
#define REPRISE_READER(name, type, instruction)           \
  inline type name() {                                    \
    type value;                                           \
    asm volatile(instruction : "=r"(value) : : "memory"); \
    return value;                                         \
  }
#define REPRISE_WRITER(name, type, instruction) \
  inline void name(type value) { asm volatile(instruction : : "r"(value) : "memory"); }

namespace arch::x86 {

// Ports. `volatile` and the clobber keep each access in its place among the others.
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult r{leaf, 0, subleaf, 0};
  asm volatile("cpuid" : "+a"(r.eax), "=b"(r.ebx), "+c"(r.ecx), "=d"(r.edx));
  return r;
}

inline std::uint64_t read_msr(Msr msr) {
  std::uint64_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
  return high << 32 | low;
}
inline void write_msr(Msr msr, std::uint64_t value) {
  asm volatile("wrmsr" : : "a"(value), "d"(value >> 32), "c"(msr) : "memory");
}

REPRISE_READER(read_cr0, std::uint64_t, "mov %%cr0, %0")
REPRISE_WRITER(write_cr0, std::uint64_t, "mov %0, %%cr0")
REPRISE_READER(read_cr2, std::uint64_t, "mov %%cr2, %0")
REPRISE_WRITER(write_cr2, std::uint64_t, "mov %0, %%cr2")
REPRISE_READER(read_cr3, std::uint64_t, "mov %%cr3, %0")
REPRISE_WRITER(write_cr3, std::uint64_t, "mov %0, %%cr3")
REPRISE_READER(read_cr4, std::uint64_t, "mov %%cr4, %0")
REPRISE_WRITER(write_cr4, std::uint64_t, "mov %0, %%cr4")
REPRISE_WRITER(write_dr0, std::uint64_t, "mov %0, %%dr0")
REPRISE_WRITER(write_dr1, std::uint64_t, "mov %0, %%dr1")
REPRISE_WRITER(write_dr2, std::uint64_t, "mov %0, %%dr2")
REPRISE_WRITER(write_dr3, std::uint64_t, "mov %0, %%dr3")
REPRISE_READER(read_dr6, std::uint64_t, "mov %%dr6, %0")
REPRISE_WRITER(write_dr6, std::uint64_t, "mov %0, %%dr6")
REPRISE_WRITER(write_dr7, std::uint64_t, "mov %0, %%dr7")
inline std::uint64_t read_xcr0() {
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}
inline void write_xcr0(std::uint64_t value) {
  asm volatile("xsetbv" : : "a"(value), "d"(value >> 32), "c"(0) : "memory");
}

// Interrupts and waiting.
inline void cli() { asm volatile("cli" : : : "memory"); }
inline void hlt() { asm volatile("hlt" : : : "memory"); }
// STI holds interrupts off until the end of the next instruction (Intel SDM Vol. 2B, STI). So the
// pair loses no interrupt between STI and HLT.
inline void sti_hlt() { asm volatile("sti\n\thlt" : : : "memory"); }
// For the same reason STI directly before CLI lets no interrupt in. So a NOP follows.
inline void sti_nop() { asm volatile("sti\n\tnop" : : : "memory"); }

// Time and chance.
inline std::uint64_t rdtsc() {
  std::uint64_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return high << 32 | low;
}
// Ticks between two readings of the time-stamp counter with one instruction between them. It is one
// function so that the compiler puts no other instruction there.
inline std::uint32_t ticks_of_two_instructions() {
  std::uint32_t first, second;
  asm volatile("rdtsc\n\tmov %%eax, %0\n\trdtsc" : "=&r"(first), "=&a"(second) : : "edx", "memory");
  return second - first;
}
inline bool rdrand(std::uint64_t& value) {
  bool valid;
  asm volatile("rdrand %0" : "=r"(value), "=@ccc"(valid));
  return valid;
}
inline bool rdseed(std::uint64_t& value) {
  bool valid;
  asm volatile("rdseed %0" : "=r"(value), "=@ccc"(valid));
  return valid;
}

// Translations and caches.
REPRISE_WRITER(invlpg, std::uint64_t, "invlpg (%0)")
REPRISE_WRITER(clflush, const void*, "clflush (%0)")
REPRISE_WRITER(clflushopt, const void*, "clflushopt (%0)")
inline void wbinvd() { asm volatile("wbinvd" : : : "memory"); }
inline void mfence() { asm volatile("mfence" : : : "memory"); }

// Descriptor tables. TablePointer is the operand of LGDT and LIDT (Intel SDM Vol. 3A §3.5.1).
struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};
inline void lgdt(const TablePointer& p) { asm volatile("lgdt %0" : : "m"(p) : "memory"); }
inline void lidt(const TablePointer& p) { asm volatile("lidt %0" : : "m"(p) : "memory"); }
REPRISE_WRITER(lldt, std::uint16_t, "lldt %0")
REPRISE_WRITER(ltr, std::uint16_t, "ltr %0")

// This CPU's own data. In ring 0 the GS base points to it, and its first word is its own address.
// `volatile` keeps the access away from places where the GS base is the program's (per_cpu.hpp).
struct PerCpu;
inline PerCpu& this_cpu() {
  PerCpu* self;
  asm volatile("mov %%gs:0, %0" : "=r"(self));
  return *self;
}
inline void swapgs() { asm volatile("swapgs" : : : "memory"); }
// Loading the selector changes the active base. The two SWAPGS make the program's base the active
// one meanwhile. They are one function because nothing between them may use this_cpu().
inline void write_program_gs(std::uint16_t selector) {
  asm volatile("swapgs\n\tmov %0, %%gs\n\tswapgs" : : "r"(selector) : "memory");
}

// The bases by instructions of their own, where CR4.FSGSBASE is set. The program's GS base is the
// one that SWAPGS puts aside: each pair of SWAPGS is one function with what stands between, because
// nothing there may use this_cpu().
REPRISE_READER(read_fs_base, std::uint64_t, "rdfsbase %0")
REPRISE_WRITER(write_fs_base, std::uint64_t, "wrfsbase %0")
REPRISE_READER(read_program_gs_base, std::uint64_t, "swapgs\n\trdgsbase %0\n\tswapgs")
REPRISE_WRITER(write_program_gs_base, std::uint64_t, "swapgs\n\twrgsbase %0\n\tswapgs")

// Segments.
REPRISE_READER(read_ds, std::uint16_t, "mov %%ds, %0")
REPRISE_READER(read_es, std::uint16_t, "mov %%es, %0")
REPRISE_READER(read_fs, std::uint16_t, "mov %%fs, %0")
REPRISE_READER(read_gs, std::uint16_t, "mov %%gs, %0")
REPRISE_WRITER(write_ds, std::uint16_t, "mov %0, %%ds")
REPRISE_WRITER(write_es, std::uint16_t, "mov %0, %%es")
REPRISE_WRITER(write_fs, std::uint16_t, "mov %0, %%fs")
REPRISE_WRITER(write_gs, std::uint16_t, "mov %0, %%gs")
REPRISE_WRITER(write_ss, std::uint16_t, "mov %0, %%ss")

// Extended state. Images are 64-byte aligned; `components` has the bits of XCR0.
REPRISE_WRITER(fxsave64, void*, "fxsave64 (%0)")
REPRISE_WRITER(fxrstor64, const void*, "fxrstor64 (%0)")
inline void xsave64(void* image, std::uint64_t components) {
  asm volatile("xsave64 (%0)" : : "r"(image), "a"(components), "d"(components >> 32) : "memory");
}
inline void xrstor64(const void* image, std::uint64_t components) {
  asm volatile("xrstor64 (%0)" : : "r"(image), "a"(components), "d"(components >> 32) : "memory");
}
// XCR0 AND XINUSE: the components that are not in their initial state (Intel SDM Vol. 1 §13.2).
inline std::uint64_t read_components_in_use() {
  std::uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
  return low | std::uint64_t{high} << 32;
}
inline void fninit() { asm volatile("fninit"); }

// Zero in one word. A loop over it stays a row of stores: the compiler would make a call of
// memset() of it, which is slower for a few words.
inline void clear_word(std::uint64_t& word) {
  asm volatile("movq %1, %0" : "=m"(word) : "r"(std::uint64_t{0}));
}

// Fills `count` words of eight bytes, without vector registers.
inline void rep_stosq(void* to, std::uint64_t value, std::size_t count) {
  asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

}  // namespace arch::x86

#undef REPRISE_READER
#undef REPRISE_WRITER
