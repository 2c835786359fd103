// Stands in the place of the real header in host tests: the same functions on a fake CPU, whose
// registers the tests set and read. XRSTOR and the base registers fault (throw) where the manual
// says that the real ones do.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arch/x86_64/registers.hpp"

namespace arch::x86 {

struct CpuidResult {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

struct FakeCpu {
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, xcr0 = 0, dr0 = 0, dr1 = 0, dr2 = 0, dr3 = 0,
                dr6 = 0, dr7 = 0;
  std::map<Msr, std::uint64_t> msrs;
  std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidResult> leaves;
  std::function<void(FakeCpu&)> before_cpuid;  // leaves that depend on registers
  // Registers that do something: the rest are as in `msrs`.
  std::function<std::optional<std::uint64_t>(Msr)> on_read_msr;
  std::function<bool(Msr, std::uint64_t)> on_write_msr;
  std::function<std::uint64_t()> time_stamp;
  std::uint32_t ticks_of_two_instructions = 2;
  std::function<void()> interrupts_on;  // a moment in which they are let in

  std::uint16_t ds = 0, es = 0, fs = 0, gs = 0;
  std::uint64_t fs_base = 0, gs_base = 0;  // the program's
  std::size_t gs_swaps = 0;
  std::array<std::uint64_t, 344> registers{};                  // what XSAVE or FXSAVE would store
  std::uint64_t in_use = ~0ull;                                // XINUSE
  enum class Absent { Stored, Left } absent = Absent::Stored;  // components in their initial state
  std::uint64_t mxcsr_mask = 0xffff;
  std::size_t image_words = 64;
  std::size_t gap_first = 0, gap_words = 0;  // in the image, of no component

  std::vector<std::uint64_t> invalidated;
  std::vector<std::uint64_t> cr3_loads;
  std::size_t flushed_lines = 0, fences = 0;
};
inline FakeCpu cpu;

// There is one CPU, and GS leads to its data wherever a test stands.
struct PerCpu;
extern PerCpu boot_cpu;
inline PerCpu& this_cpu() { return boot_cpu; }
inline void swapgs() { ++cpu.gs_swaps; }

inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  if (cpu.before_cpuid) cpu.before_cpuid(cpu);
  const auto found = cpu.leaves.find({leaf, subleaf});
  return found == cpu.leaves.end() ? CpuidResult{} : found->second;
}
inline std::uint64_t read_msr(Msr msr) {
  if (cpu.on_read_msr) {
    if (const auto value = cpu.on_read_msr(msr)) return *value;
  }
  if (msr == Msr::FsBase) return cpu.fs_base;
  if (msr == Msr::KernelGsBase) return cpu.gs_base;
  return cpu.msrs[msr];
}
inline void require_canonical(std::uint64_t address) {
  if (static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16) >> 16) != address) {
    throw std::domain_error("#GP: not canonical");
  }
}
inline void write_msr(Msr msr, std::uint64_t value) {
  if (cpu.on_write_msr && cpu.on_write_msr(msr, value)) return;
  if (msr == Msr::FsBase || msr == Msr::KernelGsBase) {
    require_canonical(value);
    (msr == Msr::FsBase ? cpu.fs_base : cpu.gs_base) = value;
  } else {
    cpu.msrs[msr] = value;
  }
}

inline void sti_nop() {
  if (cpu.interrupts_on) cpu.interrupts_on();
}
inline void cli() {}

inline std::uint8_t in8(std::uint16_t) { return 0xff; }
inline void out8(std::uint16_t, std::uint8_t) {}
inline std::uint32_t ticks_of_two_instructions() { return cpu.ticks_of_two_instructions; }
inline std::uint64_t rdtsc() { return cpu.time_stamp ? cpu.time_stamp() : 0; }

inline std::uint64_t read_cr0() { return cpu.cr0; }
inline std::uint64_t read_cr2() { return cpu.cr2; }
inline void write_cr2(std::uint64_t value) { cpu.cr2 = value; }
inline std::uint64_t read_cr3() { return cpu.cr3; }
inline std::uint64_t read_cr4() { return cpu.cr4; }
inline void write_cr0(std::uint64_t value) { cpu.cr0 = value; }
inline void write_cr3(std::uint64_t value) {
  cpu.cr3 = value;
  cpu.cr3_loads.push_back(value);
}
inline void write_cr4(std::uint64_t value) { cpu.cr4 = value; }
inline std::uint64_t read_xcr0() { return cpu.xcr0; }
inline void write_xcr0(std::uint64_t value) { cpu.xcr0 = value; }
inline std::uint64_t read_dr6() { return cpu.dr6; }
inline void write_dr0(std::uint64_t value) { cpu.dr0 = value; }
inline void write_dr1(std::uint64_t value) { cpu.dr1 = value; }
inline void write_dr2(std::uint64_t value) { cpu.dr2 = value; }
inline void write_dr3(std::uint64_t value) { cpu.dr3 = value; }
inline void write_dr7(std::uint64_t value) { cpu.dr7 = value; }
inline void write_dr6(std::uint64_t value) { cpu.dr6 = value; }
inline void invlpg(std::uint64_t address) { cpu.invalidated.push_back(address); }
inline void wbinvd() {}
inline void clflush(const void*) { ++cpu.flushed_lines; }
inline void clflushopt(const void*) { ++cpu.flushed_lines; }
inline void mfence() { ++cpu.fences; }
inline void fninit() {}

inline std::uint16_t read_ds() { return cpu.ds; }
inline std::uint16_t read_es() { return cpu.es; }
inline std::uint16_t read_fs() { return cpu.fs; }
inline std::uint16_t read_gs() { return cpu.gs; }
inline void write_ds(std::uint16_t value) { cpu.ds = value; }
inline void write_es(std::uint16_t value) { cpu.es = value; }
inline void write_fs(std::uint16_t value) {
  cpu.fs = value;
  cpu.fs_base = 0;
}
inline void write_program_gs(std::uint16_t value) {
  cpu.gs = value;
  cpu.gs_base = 0;
}

inline std::uint64_t read_fs_base() { return cpu.fs_base; }
inline void write_fs_base(std::uint64_t value) {
  require_canonical(value);
  cpu.fs_base = value;
}
inline std::uint64_t read_program_gs_base() { return cpu.gs_base; }
inline void write_program_gs_base(std::uint64_t value) {
  require_canonical(value);
  cpu.gs_base = value;
}

inline void require_aligned(const void* image) {
  if (reinterpret_cast<std::uintptr_t>(image) % 64 != 0) throw std::domain_error("#GP: alignment");
}
// What belongs to no register keeps its bytes: the upper part of each x87 register, and, where the
// addresses of the last x87 instruction are 0, those too (AMD APM Vol. 5, FXSAVE).
inline void fxsave64(void* image) {
  require_aligned(image);
  auto* const words = static_cast<std::uint64_t*>(image);
  for (std::size_t i = 0; i < 52; ++i) {
    const bool upper = i >= 5 && i < 20 && i % 2 == 1;
    const bool address = i == 1 || i == 2;
    const std::uint64_t kept = upper ? ~std::uint64_t{0xffff} : 0;
    if (address && cpu.registers[i] == 0) continue;
    words[i] = (cpu.registers[i] & ~kept) | (words[i] & kept);
  }
  words[3] |= cpu.mxcsr_mask << 32;
}
inline void require_mxcsr(const std::uint64_t* image) {
  if ((image[3] & 0xffffffff & ~cpu.mxcsr_mask) != 0) throw std::domain_error("#GP: MXCSR");
}
inline void fxrstor64(const void* image) {
  require_aligned(image);
  require_mxcsr(static_cast<const std::uint64_t*>(image));
  std::memcpy(cpu.registers.data(), image, 416);
  cpu.registers[3] &= 0xffffffff;
}
// A component in its initial state is stored with its initial value, or, as the optimizing forms
// do, not at all (Intel SDM Vol. 1 §13.7 to §13.9); here x87 is the one that can be absent.
inline void xsave64(void* image, std::uint64_t components) {
  auto* const words = static_cast<std::uint64_t*>(image);
  const bool leave_x87 = (cpu.in_use & 1) == 0 && cpu.absent == FakeCpu::Absent::Left;
  const std::uint64_t before[3] = {words[0], words[1], words[2]};
  fxsave64(image);
  if (leave_x87) {
    std::memcpy(words, before, sizeof(before));
    for (std::size_t i = 4; i < 20; ++i) words[i] = 0;
  }
  words[64] = (words[64] & ~components) | (components & cpu.in_use);
  for (std::size_t i = 72; i < cpu.image_words; ++i) {
    if (i - cpu.gap_first >= cpu.gap_words) words[i] = cpu.registers[i];
  }
}
inline void xrstor64(const void* image, std::uint64_t components) {
  const auto* const words = static_cast<const std::uint64_t*>(image);
  require_mxcsr(words);
  if ((words[64] & ~cpu.xcr0) != 0) throw std::domain_error("#GP: XSTATE_BV");
  for (std::size_t i = 65; i < 72; ++i) {
    if (words[i] != 0) throw std::domain_error("#GP: header");
  }
  // Only the components that are asked for are loaded; all beyond SSE are one here.
  const std::array<std::uint64_t, 344> before = cpu.registers;
  fxrstor64(image);
  if ((components & Xcr0::X87) == 0) {
    std::copy_n(before.begin(), 3, cpu.registers.begin());
    std::copy_n(before.begin() + 4, 16, cpu.registers.begin() + 4);
  }
  if ((components & Xcr0::Sse) == 0) {
    std::copy_n(before.begin() + 20, 32, cpu.registers.begin() + 20);
  }
  cpu.in_use = (cpu.in_use & ~components) | (words[64] & components);
  if ((components & ~(Xcr0::X87 | Xcr0::Sse)) == 0) return;
  for (std::size_t i = 72; i < cpu.image_words; ++i) cpu.registers[i] = words[i];
}

inline std::uint64_t read_components_in_use() { return cpu.xcr0 & cpu.in_use; }

inline void clear_word(std::uint64_t& word) { word = 0; }
inline void rep_stosq(void* to, std::uint64_t value, std::size_t count) {
  for (auto* word = static_cast<std::uint64_t*>(to); count > 0; --count) *word++ = value;
}

}  // namespace arch::x86
