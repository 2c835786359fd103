/* Signals as a program sends them to itself and as exceptions force them. Prints what it sees, the
 * same on any Linux; the first argument may ask for an end by a signal. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int seen[65];
static char alternate[65536];
static volatile void* fault_address;
static volatile int on_alternate;

static void note(int number) { ++seen[number]; }

static void leave(int number, siginfo_t* info, void* context) {
  (void)context;
  char here;
  fault_address = info->si_addr;
  on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
  ++seen[number];
  siglongjmp(back, 1);
}

static void skip(int number, siginfo_t* info, void* context) {
  ucontext_t* state = context;
  (void)info;
  ++seen[number];
  /* The faulting instruction is "mov (%rax),%rax" or "ud2": 3 or 2 bytes long. */
  const uint8_t* code = (const uint8_t*)state->uc_mcontext.gregs[REG_RIP];
  state->uc_mcontext.gregs[REG_RIP] += code[0] == 0x0f ? 2 : 3;
  state->uc_mcontext.gregs[REG_RAX] = 77;
  volatile double noise = 1.5;
  __asm__ volatile("pxor %%xmm7, %%xmm7\n fldz\n fstp %%st(0)" ::: "xmm7");
  noise *= number;
}

static void install(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(number, &action, NULL);
}

static void exceptions(void) {
  install(SIGSEGV, leave, 0);
  install(SIGFPE, leave, 0);
  install(SIGILL, leave, 0);
  install(SIGTRAP, leave, 0);
  if (!sigsetjmp(back, 1)) *(volatile int*)0x1234 = 1;
  printf("SIGSEGV %d at %p\n", seen[SIGSEGV], (void*)fault_address);
  char* page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!sigsetjmp(back, 1)) page[5] = 1;
  printf("SIGSEGV %d, at the page: %d\n", seen[SIGSEGV], fault_address == page + 5);
  volatile int zero = 0;
  if (!sigsetjmp(back, 1)) zero = 100 / zero;
  printf("SIGFPE %d\n", seen[SIGFPE]);
  if (!sigsetjmp(back, 1)) __asm__ volatile("ud2");
  printf("SIGILL %d\n", seen[SIGILL]);
  if (!sigsetjmp(back, 1)) __asm__ volatile("int3");
  printf("SIGTRAP %d\n", seen[SIGTRAP]);
}

static void resumption(void) {
  install(SIGSEGV, skip, 0);
  install(SIGILL, skip, 0);
  uint64_t result = 0x10, counter = 5;
  uint64_t kept[2] = {0x3ff4000000000000, 0xc004000000000000}, after[2]; /* 1.25 and -2.5 */
  __asm__ volatile(
      "movupd %3, %%xmm7\n mov $99, %%rbx\n stc\n mov (%0), %0\n sbb %1, %1\n ud2\n"
      "movupd %%xmm7, %2\n"
      : "+a"(result), "+r"(counter), "=m"(after)
      : "m"(kept)
      : "rbx", "xmm7", "cc", "memory");
  printf("resumed with %lu, carry kept: %d, vectors kept: %d\n", result, counter == (uint64_t)-1,
         memcmp(kept, after, sizeof kept) == 0);
}

static int overflow(int depth) {
  volatile char block[4096];
  block[depth % 4096] = 1;
  return overflow(depth + 1) + block[0];
}

static void alternate_stack(void) {
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  install(SIGSEGV, leave, SA_ONSTACK);
  if (!sigsetjmp(back, 1)) overflow(0);
  printf("stack overflow survived, on the alternate stack: %d\n", on_alternate);
}

static void sent(void) {
  sigset_t set, old;
  signal(SIGUSR1, note);
  signal(SIGUSR2, note);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR1);
  raise(SIGUSR2);
  sigset_t pending;
  sigpending(&pending);
  printf("blocked: %d %d, pending %d\n", seen[SIGUSR1], seen[SIGUSR2],
         sigismember(&pending, SIGUSR1));
  sigprocmask(SIG_SETMASK, &old, NULL);
  printf("unblocked: %d %d\n", seen[SIGUSR1], seen[SIGUSR2]);
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  raise(SIGCHLD);
  printf("ignored: %d\n", seen[SIGUSR1]);
  int ends[2];
  signal(SIGPIPE, note);
  if (pipe(ends) == 0) {
    close(ends[0]);
    const ssize_t result = write(ends[1], "x", 1);
    printf("write into a closed pipe: %zd, SIGPIPE %d\n", result, seen[SIGPIPE]);
  }
}

int main(int count, char** arguments) {
  const char* end = count > 1 ? arguments[1] : "";
  if (strcmp(end, "abort") == 0) abort();
  if (strcmp(end, "fault") == 0) *(volatile int*)(intptr_t)count = 1;
  if (strcmp(end, "divide") == 0) return 100 / *(volatile int*)memset(alternate, 0, 4);
  if (strcmp(end, "term") == 0) return raise(SIGTERM);
  exceptions();
  resumption();
  alternate_stack();
  sent();
  return 0;
}
