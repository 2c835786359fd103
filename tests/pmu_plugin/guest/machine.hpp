// The little machine that the PMU tests run on: ring 3 by run_user(), MSRs, the local APIC, pages
// on demand, a serial line. One CPU, identity map, interrupts only while ring 3 runs.
#pragma once

#include <cstdint>

namespace guest {

using u64 = std::uint64_t;
using u32 = std::uint32_t;

// The registers at a trap from ring 3. entry.asm pushes them in reverse order.
struct alignas(16) State {
  u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
  u64 vector, error, rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(State) == 22 * 8);

inline constexpr u64 kDivide = 0, kDebug = 1, kNmi = 2, kBreakpoint = 3, kUndefined = 6;
inline constexpr u64 kPageFault = 14, kPmi = 0x50, kTimer = 0x51, kDone = 0x80, kSyscall = 0x100;
inline constexpr u64 kTrapFlag = 1 << 8, kInterruptFlag = 1 << 9, kResumeFlag = 1 << 16;

inline constexpr u64 kDemandArea = 0x40000000;
inline constexpr u64 kDemandFrames = 0x1000000;  // the frames that the area is mapped to

void set_up();
State user_state(const void* program);
u64 map_demand_page(u64 address);  // returns the frame
void unmap_demand_pages();

u64 read_msr(u32 msr);
void write_msr(u32 msr, u64 value);

inline constexpr u32 kApicEoi = 0xb0, kApicSpurious = 0xf0, kApicTimer = 0x320, kApicLvtpc = 0x340,
                     kApicCount = 0x380, kApicDivide = 0x3e0;
u32 read_apic(u32 offset);
void write_apic(u32 offset, u32 value);

// Ticks of the 8254's channel 0 at 1.193182 MHz / divisor (0: 65536), masked at the PIC.
void start_pit(std::uint16_t divisor);

void print(const char* text);
void print(u64 number);
[[noreturn]] void leave(u32 code);

extern "C" {
void run_user(State* state);
extern u64 nmis_in_kernel;
}

}  // namespace guest
