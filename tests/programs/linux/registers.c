/* What a system call must leave alone: every register but RAX, RCX and R11, the red zone, the
 * flags, vector and x87 state. Each round makes one call by hand and checks what it finds
 * afterwards. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct state {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, flags;
  uint64_t red_zone[16];
  uint8_t xmm[16][16];
};

/* Loads *in (but RSP), fills the red zone, SYSCALL, stores everything to *out. */
void call_between(const struct state* in, struct state* out, uint64_t* resume);
__asm__(
    ".text\n.globl call_between\ncall_between:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, saved_rsp(%rip)\nmov %rsi, saved_out(%rip)\nlea after(%rip), %rax\nmov %rax, "
    "(%rdx)\n"
    "lea -1024(%rsp), %rsp\n"
    "mov $15, %ecx\n1: mov 136(%rdi,%rcx,8), %rax\nmov %rax, -128(%rsp,%rcx,8)\ndec %ecx\njns 1b\n"
    "movdqu 264(%rdi), %xmm0\nmovdqu 280(%rdi), %xmm1\nmovdqu 296(%rdi), %xmm2\n"
    "movdqu 488(%rdi), %xmm14\nmovdqu 504(%rdi), %xmm15\n"
    "fldpi\n"
    "push 128(%rdi)\npopfq\n"
    /* the push above used the red zone's top: write that word again */
    "mov 256(%rdi), %rax\nmov %rax, -8(%rsp)\n"
    "mov (%rdi), %rax\nmov 8(%rdi), %rbx\nmov 24(%rdi), %rdx\nmov 32(%rdi), %rsi\n"
    "mov 48(%rdi), %rbp\nmov 64(%rdi), %r8\nmov 72(%rdi), %r9\nmov 80(%rdi), %r10\n"
    "mov 96(%rdi), %r12\nmov 104(%rdi), %r13\nmov 112(%rdi), %r14\nmov 120(%rdi), %r15\n"
    "mov 40(%rdi), %rdi\n"
    "syscall\nafter:\n"
    "mov %rsp, saved_inner(%rip)\nmov %rdi, saved_rdi(%rip)\nmov saved_out(%rip), %rdi\n"
    "mov %rax, (%rdi)\nmov %rbx, 8(%rdi)\nmov %rcx, 16(%rdi)\nmov %rdx, 24(%rdi)\n"
    "mov %rsi, 32(%rdi)\nmov %rbp, 48(%rdi)\nmov %r8, 64(%rdi)\nmov %r9, 72(%rdi)\n"
    "mov %r10, 80(%rdi)\nmov %r11, 88(%rdi)\nmov %r12, 96(%rdi)\nmov %r13, 104(%rdi)\n"
    "mov %r14, 112(%rdi)\nmov %r15, 120(%rdi)\n"
    "lea -1024(%rsp), %rsp\npushfq\npop %rax\nmov %rax, 128(%rdi)\nlea 1024(%rsp), %rsp\ncld\n"
    "mov saved_rdi(%rip), %rax\nmov %rax, 40(%rdi)\nmov saved_inner(%rip), %rax\n"
    "mov %rax, 56(%rdi)\n"
    "mov $15, %ecx\n1: mov -128(%rsp,%rcx,8), %rax\nmov %rax, 136(%rdi,%rcx,8)\ndec %ecx\njns 1b\n"
    "movdqu %xmm0, 264(%rdi)\nmovdqu %xmm1, 280(%rdi)\nmovdqu %xmm2, 296(%rdi)\n"
    "movdqu %xmm14, 488(%rdi)\nmovdqu %xmm15, 504(%rdi)\n"
    "fstpl saved_x87(%rip)\n"
    "mov saved_rsp(%rip), %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
    ".bss\n.balign 8\nsaved_rsp: .quad 0\nsaved_out: .quad 0\nsaved_inner: .quad 0\nsaved_rdi: "
    ".quad 0\n"
    ".globl saved_x87\nsaved_x87: .quad 0\n.text\n");
extern double saved_x87;

static int failures;
static void check(const char* call, const char* what, uint64_t wanted, uint64_t found) {
  if (wanted == found) return;
  printf("%s: %s was %#lx, is %#lx\n", call, what, wanted, found);
  ++failures;
}

static void round_of(const char* name, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                     uint64_t e, uint64_t f, uint64_t flags) {
  struct state in, out;
  uint64_t resume = 0;
  memset(&out, 0, sizeof out);
  for (size_t i = 0; i < sizeof in; ++i) ((uint8_t*)&in)[i] = (uint8_t)(i * 37 + 11);
  in.rax = (uint64_t)number, in.rdi = a, in.rsi = b, in.rdx = c, in.r10 = d, in.r8 = e, in.r9 = f;
  in.flags = flags;
  call_between(&in, &out, &resume);
  check(name, "rbx", in.rbx, out.rbx), check(name, "rdx", in.rdx, out.rdx);
  check(name, "rsi", in.rsi, out.rsi), check(name, "rdi", in.rdi, out.rdi);
  check(name, "rbp", in.rbp, out.rbp), check(name, "r8", in.r8, out.r8);
  check(name, "r9", in.r9, out.r9), check(name, "r10", in.r10, out.r10);
  check(name, "r12", in.r12, out.r12), check(name, "r13", in.r13, out.r13);
  check(name, "r14", in.r14, out.r14), check(name, "r15", in.r15, out.r15);
  check(name, "rcx", resume, out.rcx);
  const uint64_t mask = 0xcd5; /* CF PF AF ZF SF DF OF */
  check(name, "flags", in.flags & mask, out.flags & mask);
  check(name, "r11", in.flags & mask, out.r11 & mask);
  for (int i = 0; i < 16; ++i) check(name, "red zone", in.red_zone[i], out.red_zone[i]);
  for (int i = 0; i < 16; ++i) {
    if (i > 2 && i < 14) continue;
    if (memcmp(in.xmm[i], out.xmm[i], 16) != 0) check(name, "xmm", 0, 1);
  }
  if (saved_x87 != 3.14159265358979312) check(name, "x87", 0, 1);
}

int main(void) {
  static char buffer[4096];
  const uint64_t text = (uint64_t)buffer;
  const uint64_t flag_sets[] = {0x202, 0x202 | 0x8d5, 0x202 | 0x400};
  for (int i = 0; i < 3; ++i) {
    const uint64_t flags = flag_sets[i];
    round_of("getpid", SYS_getpid, 1, 2, 3, 4, 5, 6, flags);
    round_of("getcwd", SYS_getcwd, text, sizeof buffer, 3, 4, 5, 6, flags);
    round_of("openat", SYS_openat, (uint64_t)-100, (uint64_t) "/no/such", 0, 4, 5, 6, flags);
    round_of("write", SYS_write, 1, (uint64_t) "written\n", 8, 4, 5, 6, flags);
    round_of("bad read", SYS_read, 0, 0x10, 0, 4, 5, 6, flags);
    round_of("bad stat", SYS_stat, 0x10, 0x20, 3, 4, 5, 6, flags);
    round_of("uname", SYS_uname, text, 2, 3, 4, 5, 6, flags);
    round_of("mmap", SYS_mmap, 0, 4096, 3, 0x22, (uint64_t)-1, 0, flags);
  }
  printf("%d failures\n", failures);
  return failures != 0;
}
