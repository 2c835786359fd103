// All inline assembly of the kernel: one instruction a function (the few pairs say why they are
// one). Nothing here decides anything. The registers' fields stand in registers.hpp.
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

// Ports. Devices are told apart from memory by the volatile and the clobber.
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult r;
  asm volatile("cpuid"
               : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
               : "a"(leaf), "c"(subleaf));
  return r;
}

inline std::uint64_t read_msr(Msr msr) {
  std::uint32_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(static_cast<std::uint32_t>(msr)) : "memory");
  return (static_cast<std::uint64_t>(high) << 32) | low;
}
inline void write_msr(Msr msr, std::uint64_t value) {
  asm volatile("wrmsr"
               :
               : "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32)), "c"(static_cast<std::uint32_t>(msr))
               : "memory");
}

REPRISE_READER(read_cr0, std::uint64_t, "mov %%cr0, %0")
REPRISE_WRITER(write_cr0, std::uint64_t, "mov %0, %%cr0")
REPRISE_READER(read_cr2, std::uint64_t, "mov %%cr2, %0")
REPRISE_READER(read_cr3, std::uint64_t, "mov %%cr3, %0")
REPRISE_WRITER(write_cr3, std::uint64_t, "mov %0, %%cr3")
REPRISE_READER(read_cr4, std::uint64_t, "mov %%cr4, %0")
REPRISE_WRITER(write_cr4, std::uint64_t, "mov %0, %%cr4")
inline void write_xcr0(std::uint64_t value) {
  asm volatile("xsetbv"
               :
               : "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32)), "c"(0)
               : "memory");
}
REPRISE_WRITER(write_dr6, std::uint64_t, "mov %0, %%dr6")

// Interrupts and waiting.
inline void cli() { asm volatile("cli" : : : "memory"); }
inline void hlt() { asm volatile("hlt" : : : "memory"); }
// STI holds interrupts off until the next instruction has begun: no interrupt is lost between the
// two, which is why they are one (Intel SDM Vol. 2B, STI).
inline void sti_hlt() { asm volatile("sti\n\thlt" : : : "memory"); }

// Time and chance.
inline std::uint64_t rdtsc() {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (static_cast<std::uint64_t>(high) << 32) | low;
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
inline void wbinvd() { asm volatile("wbinvd" : : : "memory"); }
inline void clflush(const void* address) {
  asm volatile("clflush (%0)" : : "r"(address) : "memory");
}
inline void clflushopt(const void* address) {
  asm volatile("clflushopt (%0)" : : "r"(address) : "memory");
}
inline void mfence() { asm volatile("mfence" : : : "memory"); }

// Descriptor tables; the operand of LGDT and LIDT (Intel SDM Vol. 3A §3.5.1).
struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};
inline void lgdt(const TablePointer& p) { asm volatile("lgdt %0" : : "m"(p) : "memory"); }
inline void lidt(const TablePointer& p) { asm volatile("lidt %0" : : "m"(p) : "memory"); }
REPRISE_WRITER(lldt, std::uint16_t, "lldt %0")
REPRISE_WRITER(ltr, std::uint16_t, "ltr %0")

// Data segments.
REPRISE_READER(read_ds, std::uint16_t, "mov %%ds, %0")
REPRISE_READER(read_es, std::uint16_t, "mov %%es, %0")
REPRISE_READER(read_fs, std::uint16_t, "mov %%fs, %0")
REPRISE_READER(read_gs, std::uint16_t, "mov %%gs, %0")
REPRISE_WRITER(write_ds, std::uint16_t, "mov %0, %%ds")
REPRISE_WRITER(write_es, std::uint16_t, "mov %0, %%es")
REPRISE_WRITER(write_fs, std::uint16_t, "mov %0, %%fs")
REPRISE_WRITER(write_gs, std::uint16_t, "mov %0, %%gs")
REPRISE_WRITER(write_ss, std::uint16_t, "mov %0, %%ss")

REPRISE_READER(rdfsbase, std::uint64_t, "rdfsbase %0")
REPRISE_READER(rdgsbase, std::uint64_t, "rdgsbase %0")
REPRISE_WRITER(wrfsbase, std::uint64_t, "wrfsbase %0")
REPRISE_WRITER(wrgsbase, std::uint64_t, "wrgsbase %0")

// Extended state; `image` is 64-byte aligned, `components` as in XCR0.
inline void fxsave64(void* image) { asm volatile("fxsave64 (%0)" : : "r"(image) : "memory"); }
inline void fxrstor64(const void* image) {
  asm volatile("fxrstor64 (%0)" : : "r"(image) : "memory");
}
inline void xsave64(void* image, std::uint64_t components) {
  asm volatile("xsave64 (%0)"
               :
               : "r"(image), "a"(static_cast<std::uint32_t>(components)),
                 "d"(static_cast<std::uint32_t>(components >> 32))
               : "memory");
}
inline void xrstor64(const void* image, std::uint64_t components) {
  asm volatile("xrstor64 (%0)"
               :
               : "r"(image), "a"(static_cast<std::uint32_t>(components)),
                 "d"(static_cast<std::uint32_t>(components >> 32))
               : "memory");
}
inline void fninit() { asm volatile("fninit"); }

// Memory, without vector registers: `count` words of eight bytes.
inline void rep_stosq(void* to, std::uint64_t value, std::size_t count) {
  asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

}  // namespace arch::x86

#undef REPRISE_READER
#undef REPRISE_WRITER
