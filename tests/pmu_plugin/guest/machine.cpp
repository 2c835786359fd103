// See machine.hpp.
#include "machine.hpp"

extern "C" {
extern char interrupt_stubs[];
extern guest::u64 demand_table[512];
void load_tables(const void* idt_pointer);
}

namespace guest {
namespace {

struct Gate {
  u64 low, high;
};
alignas(16) Gate gates[256];
alignas(16) char user_stack[8192];

constexpr u64 kUserCode = 0x23, kUserData = 0x1b;

void out(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void print_character(char c) { out(0x3f8, static_cast<std::uint8_t>(c)); }

}  // namespace

void set_up() {
  constexpr u64 interrupt_gate_for_ring3 = u64{0xee00} << 32 | u64{0x08} << 16;
  for (u64 vector = 0; vector < 256; ++vector) {
    const u64 at = reinterpret_cast<u64>(interrupt_stubs) + vector * 16;
    gates[vector].low = (at & 0xffff) | (at >> 16 & 0xffff) << 48 | interrupt_gate_for_ring3;
    gates[vector].high = at >> 32;
  }
  struct __attribute__((packed)) {
    std::uint16_t limit = sizeof gates - 1;
    const void* base = gates;
  } pointer;
  load_tables(&pointer);
  out(0x21, 0xff);
  out(0xa1, 0xff);
  write_apic(kApicSpurious, 0x1ff);
  write_apic(kApicDivide, 0xb);  // by 1
}

State user_state(const void* program) {
  State state{};
  state.rip = reinterpret_cast<u64>(program);
  state.cs = kUserCode;
  state.ss = kUserData;
  state.rflags = kInterruptFlag | 2;
  state.rsp = reinterpret_cast<u64>(user_stack) + sizeof user_stack;
  state.rdi = kDemandArea;
  return state;
}

u64 map_demand_page(u64 address) {
  const u64 index = (address - kDemandArea) >> 12;
  const u64 frame = kDemandFrames + index * 4096;
  demand_table[index & 511] = frame | 7;
  return frame;
}

void unmap_demand_pages() {
  for (u64& entry : demand_table) entry = 0;
  u64 cr3;
  asm volatile("mov %%cr3, %0\n mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

u64 read_msr(u32 msr) {
  u32 low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
  return u64{high} << 32 | low;
}

void write_msr(u32 msr, u64 value) {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32))
               : "memory");
}

u32 read_apic(u32 offset) { return *reinterpret_cast<volatile u32*>(0xfee00000ul + offset); }
void write_apic(u32 offset, u32 value) {
  *reinterpret_cast<volatile u32*>(0xfee00000ul + offset) = value;
}

void start_pit(std::uint16_t divisor) {
  out(0x43, 0x34);  // channel 0, both bytes, mode 2
  out(0x40, static_cast<std::uint8_t>(divisor));
  out(0x40, static_cast<std::uint8_t>(divisor >> 8));
}

void print(const char* text) {
  while (*text != 0) print_character(*text++);
}

void print(u64 number) {
  if (number >= 10) print(number / 10);
  print_character(static_cast<char>('0' + number % 10));
}

void leave(u32 code) {
  asm volatile("outl %0, %1" : : "a"(code), "Nd"(std::uint16_t{0xf4}));
  for (;;) asm volatile("hlt");
}

extern "C" [[noreturn]] void unexpected_trap(u64 vector, u64 rip) {
  print("FAIL trap ");
  print(vector);
  print(" in the kernel at ");
  print(rip);
  print("\n");
  leave(0x13);
}

}  // namespace guest
