/* Passes wild pointers to every call that takes one. Each call returns EFAULT and the process goes
 * on. Prints the error of each call, which is the same on any Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint64_t wild[] = {0x10, 0x0000400000000000, 0x00007fffffffffff, 0x8000000000000000,
                                0xfffffffffffff000};

struct attempt {
  const char* name;
  long number;
  int at; /* which argument is wild */
  uint64_t arguments[6];
};

int main(void) {
  static char room[4096];
  const uint64_t good = (uint64_t)room, file = (uint64_t) "/dev/zero";
  const struct attempt attempts[] = {
      {"read", SYS_read, 1, {3, 0, 64}},
      {"open", SYS_open, 0, {0}},
      {"stat path", SYS_stat, 0, {0, good}},
      {"stat buffer", SYS_stat, 1, {file, 0}},
      {"fstat", SYS_fstat, 1, {3, 0}},
      {"poll", SYS_poll, 0, {0, 1, 0}},
      {"rt_sigaction new", SYS_rt_sigaction, 1, {10, 0, 0, 8}},
      {"rt_sigaction old", SYS_rt_sigaction, 2, {10, 0, 0, 8}},
      {"rt_sigprocmask", SYS_rt_sigprocmask, 1, {0, 0, 0, 8}},
      {"readv", SYS_readv, 1, {3, 0, 1}},
      {"access", SYS_access, 0, {0}},
      {"pipe", SYS_pipe, 0, {0}},
      {"nanosleep", SYS_nanosleep, 0, {0}},
      {"uname", SYS_uname, 0, {0}},
      {"getcwd", SYS_getcwd, 0, {0, 4096}},
      {"chdir", SYS_chdir, 0, {0}},
      {"rename", SYS_rename, 0, {0, file}},
      {"mkdir", SYS_mkdir, 0, {0}},
      {"readlink", SYS_readlink, 0, {0, good, 64}},
      {"getrlimit", SYS_getrlimit, 1, {0, 0}},
      {"sysinfo", SYS_sysinfo, 0, {0}},
      {"statfs", SYS_statfs, 1, {file, 0}},
      {"openat", SYS_openat, 1, {3, 0}},
      {"newfstatat", SYS_newfstatat, 2, {(uint64_t)-100, file, 0, 0}},
      {"statx", SYS_statx, 4, {(uint64_t)-100, file, 0, 0x7ff, 0}},
      {"sigaltstack", SYS_sigaltstack, 0, {0}},
      {"getrandom", SYS_getrandom, 0, {0, 16}},
  };
  if (open("/dev/zero", 0) != 3) return 2;
  int failures = 0;
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; ++i) {
    printf("%s:", attempts[i].name);
    for (size_t k = 0; k < sizeof wild / sizeof *wild; ++k) {
      uint64_t a[6];
      memcpy(a, attempts[i].arguments, sizeof a);
      a[attempts[i].at] = wild[k];
      errno = 0;
      const long result = syscall(attempts[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
      printf(" %ld/%s", result, strerrorname_np(errno) ? strerrorname_np(errno) : "0");
      failures += result != -1 || errno != EFAULT;
    }
    printf("\n");
  }
  printf("bad pointers: %d not refused\n", failures);
  return failures != 0;
}
