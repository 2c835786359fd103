// Single instructions that C++ cannot express.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace user {

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult r{};
  asm volatile("cpuid"
               : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
               : "a"(leaf), "c"(subleaf));
  return r;
}

// A leaf, or zeros where the CPU does not have it: each block's first leaf says which is its last.
inline CpuidResult cpuid_leaf(std::uint32_t leaf) {
  return cpuid(leaf & 0xf0000000).eax >= leaf ? cpuid(leaf) : CpuidResult{};
}

// XCR0: which extended state the kernel lets programs use. Needs CPUID 1 ECX bit 27 (OSXSAVE).
inline std::uint64_t enabled_state() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

inline std::uint64_t time_stamp() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32 | low;
}

// Needs CPUID 1 ECX bit 30. False: the generator had no number.
inline bool hardware_random(std::uint64_t& value) {
  bool given = false;
  asm volatile("rdrand %0" : "=r"(value), "=@ccc"(given));
  return given;
}

[[noreturn]] inline void undefined_instruction() {
  asm volatile("ud2");
  __builtin_unreachable();
}

inline void breakpoint() { asm volatile("int3" ::: "memory"); }
inline void halt() { asm volatile("hlt" ::: "memory"); }  // privileged: #GP in ring 3

// Ports that are granted to this process. Each ends the processing element and is done once.
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value = 0;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
inline void out_string(std::uint16_t port, std::span<const char> bytes) {
  const char* next = bytes.data();
  std::size_t left = bytes.size();
  asm volatile("rep outsb" : "+S"(next), "+c"(left) : "d"(port) : "memory");
}

// From device memory at `address`: one instruction, so some hundred words end one processing
// element and not as many.
inline void copy_words(std::span<std::uint64_t> to, std::uint64_t address) {
  std::uint64_t* next = to.data();
  std::size_t left = to.size();
  asm volatile("rep movsq" : "+D"(next), "+S"(address), "+c"(left) : : "memory");
}

// What an exception handler reads or changes is in memory before and read again behind it.
inline void compiler_barrier() { asm volatile("" ::: "memory"); }

}  // namespace user
