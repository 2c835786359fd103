// limits WHAT: loops that make it hard to end a PE by its time limit.
//   renewal  the PE's first instruction faults on a new page again and again: each time all that
//            traps keep is as at the PE's start, only the FS base is not
//   x87      FNSTENV stores where the last x87 instruction was, in a loop that a search takes for
//            the right position in every round: no general register changes
#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

alignas(REPRISE_PAGE_SIZE) std::uint8_t pages[256 * REPRISE_PAGE_SIZE];
constexpr std::uint64_t rounds = 250, spin = 190'000;  // of the limit's 200,000 instructions

[[noreturn]] void renew() {
  std::uint64_t variables[2];  // FS base, rounds left
  for (;;) {
    variables[0] = reinterpret_cast<std::uint64_t>(pages);
    variables[1] = rounds;
    asm volatile(
        "wrfsbase %[base]\n"
        "mov %[yield], %%eax\n"
        "xor %%edi, %%edi\n"
        "pushf\n"
        "pop %%r12\n"
        "syscall\n"  // RAX = 0, RCX = behind it, R11 = the flags
        "1: movb $1, %%fs:0\n"
        "mov %[spin], %%rcx\n"
        "2: loop 2b\n"
        "mov (%[variables]), %%rax\n"
        "lea 4096(%%rax), %%rax\n"
        "mov %%rax, (%[variables])\n"
        "wrfsbase %%rax\n"
        "mov 8(%[variables]), %%rcx\n"
        "lea -1(%%rcx), %%rcx\n"
        "mov %%rcx, 8(%[variables])\n"
        "jrcxz 3f\n"
        "mov $0, %%eax\n"
        "lea 1b(%%rip), %%rcx\n"
        "mov %%r12, %%r11\n"
        "jmp 1b\n"
        "3:"
        :
        : [base] "r"(variables[0]), [yield] "i"(REPRISE_YIELD), [variables] "r"(variables),
          [spin] "r"(spin)
        : "rax", "rcx", "rdi", "r11", "r12", "memory");
  }
}

[[noreturn]] void store_x87() {
  pages[0] = 1;
  user::yield();
  asm volatile(
      "fninit\n"
      "fld1\n"
      "pxor %%xmm0, %%xmm0\n"
      "pcmpeqd %%xmm1, %%xmm1\n"
      "1: fnstenv (%0)\n"
      "paddq %%xmm1, %%xmm0\n"
      "jmp 1b"
      :
      : "r"(pages)
      : "memory");
  __builtin_unreachable();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = user::text_argument(argc, argv, 1);
  if (what == "renewal") renew();
  if (what == "x87") store_x87();
  user::print("limits: say renewal or x87\n");
  return 2;
}
