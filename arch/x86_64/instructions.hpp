// All inline assembly of the kernel: one instruction a function (the few pairs say why they are
// one). Nothing here decides anything. The registers' fields stand in registers.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/x86_64/registers.hpp"

namespace arch::x86 {

// Ports. Devices are told apart from memory by the volatile and the clobber.
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline std::uint16_t in16(std::uint16_t port) {
  std::uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
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
inline void out16(std::uint16_t port, std::uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
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

inline std::uint64_t read_cr0() {
  std::uint64_t value;
  asm volatile("mov %%cr0, %0" : "=r"(value));
  return value;
}
inline void write_cr0(std::uint64_t value) {
  asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}
inline std::uint64_t read_cr2() {
  std::uint64_t value;
  asm volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}
inline std::uint64_t read_cr3() {
  std::uint64_t value;
  asm volatile("mov %%cr3, %0" : "=r"(value));
  return value;
}
inline void write_cr3(std::uint64_t value) {
  asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
inline std::uint64_t read_cr4() {
  std::uint64_t value;
  asm volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}
inline void write_cr4(std::uint64_t value) {
  asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}
inline void write_xcr0(std::uint64_t value) {
  asm volatile("xsetbv"
               :
               : "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32)), "c"(0)
               : "memory");
}
inline void write_dr6(std::uint64_t value) { asm volatile("mov %0, %%dr6" : : "r"(value)); }

// Interrupts and waiting.
inline void cli() { asm volatile("cli" : : : "memory"); }
inline void sti() { asm volatile("sti" : : : "memory"); }
inline void hlt() { asm volatile("hlt" : : : "memory"); }
// STI holds interrupts off until the next instruction has begun: no interrupt is lost between the
// two, which is why they are one (Intel SDM Vol. 2B, STI).
inline void sti_hlt() { asm volatile("sti\n\thlt" : : : "memory"); }
inline void pause() { asm volatile("pause" : : : "memory"); }

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
inline void invlpg(std::uint64_t address) {
  asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}
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
inline void lldt(std::uint16_t selector) { asm volatile("lldt %0" : : "r"(selector) : "memory"); }
inline void ltr(std::uint16_t selector) { asm volatile("ltr %0" : : "r"(selector) : "memory"); }

// Data segments.
inline std::uint16_t read_ds() {
  std::uint16_t value;
  asm volatile("mov %%ds, %0" : "=r"(value));
  return value;
}
inline std::uint16_t read_es() {
  std::uint16_t value;
  asm volatile("mov %%es, %0" : "=r"(value));
  return value;
}
inline std::uint16_t read_fs() {
  std::uint16_t value;
  asm volatile("mov %%fs, %0" : "=r"(value));
  return value;
}
inline std::uint16_t read_gs() {
  std::uint16_t value;
  asm volatile("mov %%gs, %0" : "=r"(value));
  return value;
}
inline void write_ds(std::uint16_t value) {
  asm volatile("mov %0, %%ds" : : "r"(value) : "memory");
}
inline void write_es(std::uint16_t value) {
  asm volatile("mov %0, %%es" : : "r"(value) : "memory");
}
inline void write_fs(std::uint16_t value) {
  asm volatile("mov %0, %%fs" : : "r"(value) : "memory");
}
inline void write_gs(std::uint16_t value) {
  asm volatile("mov %0, %%gs" : : "r"(value) : "memory");
}
inline void write_ss(std::uint16_t value) {
  asm volatile("mov %0, %%ss" : : "r"(value) : "memory");
}

inline std::uint64_t rdfsbase() {
  std::uint64_t value;
  asm volatile("rdfsbase %0" : "=r"(value));
  return value;
}
inline std::uint64_t rdgsbase() {
  std::uint64_t value;
  asm volatile("rdgsbase %0" : "=r"(value));
  return value;
}
inline void wrfsbase(std::uint64_t value) { asm volatile("wrfsbase %0" : : "r"(value) : "memory"); }
inline void wrgsbase(std::uint64_t value) { asm volatile("wrgsbase %0" : : "r"(value) : "memory"); }

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
inline void rep_movsq(void* to, const void* from, std::size_t count) {
  asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
inline void rep_stosq(void* to, std::uint64_t value, std::size_t count) {
  asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

}  // namespace arch::x86
