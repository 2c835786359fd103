/* What a program can learn of its machine and of itself, and the limits that it can set. Every
 * check holds on any Linux, as root; where Linux could also refuse, so may the machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "checks.h"

static char text[1 << 20];

static const char* read_file(const char* path) {
  const int file = open(path, O_RDONLY);
  size_t length = 0;
  ssize_t got;
  CHECK(file >= 0);
  while ((got = read(file, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  text[length] = 0;
  close(file);
  return text;
}

static void memory(void) {
  struct sysinfo information;
  unsigned long total = 0, unused = 0;
  CHECK(sysinfo(&information) == 0 && information.freeram <= information.totalram);
  const unsigned long long bytes = (unsigned long long)information.totalram * information.mem_unit;
  CHECK(bytes > 1 << 20);
  const long page = sysconf(_SC_PAGESIZE);
  CHECK((unsigned long long)sysconf(_SC_PHYS_PAGES) * page == bytes / page * page);
  CHECK(sysconf(_SC_AVPHYS_PAGES) > 0 && sysconf(_SC_AVPHYS_PAGES) <= sysconf(_SC_PHYS_PAGES));
  read_file("/proc/meminfo");
  CHECK(sscanf(text, "MemTotal: %lu kB", &total) == 1 && total == bytes / 1024);
  const char* available = strstr(text, "\nMemAvailable:");
  CHECK(available != NULL && sscanf(available, " MemAvailable: %lu kB", &unused) == 1);
  CHECK(unused > 0 && unused <= total && strstr(text, "\nMemFree: ") &&
        strstr(text, "SwapTotal: "));
}

static void processors(void) {
  long count = 0;
  read_file("/proc/cpuinfo");
  for (const char* at = text; (at = strstr(at, "processor\t: ")) != NULL; ++at) ++count;
  CHECK(!strncmp(text, "processor\t: 0\nvendor_id\t: ", 26));
  CHECK(count >= sysconf(_SC_NPROCESSORS_ONLN) && count >= 1);
  CHECK(strstr(text, "\nflags\t\t: fpu ") && strstr(text, " sse2 ") && strstr(text, " lm "));
  CHECK(strstr(text, "\nmodel name\t: ") && strstr(text, "\ncpu family\t: "));
}

/* Whether the maps have the address, with these rights, and a name that contains `name`. */
static int mapped(const void* pointer, const char* rights, const char* name) {
  const unsigned long address = (unsigned long)pointer;
  unsigned long last = 0;
  int found = 0;
  static char maps[sizeof text];
  strcpy(maps, read_file("/proc/self/maps"));
  for (char* line = strtok(maps, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    unsigned long start, end, offset, inode;
    unsigned major, minor;
    char allowed[5];
    const int fields = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, allowed, &offset,
                              &major, &minor, &inode);
    if (fields != 7 || start < last || end <= start) return 0;
    last = end;
    if (address < start || address >= end) continue;
    found = !strcmp(allowed, rights) && strstr(line, name) != NULL;
  }
  return found;
}

static int written = 1;

static void maps(void) {
  int local = 0;
  CHECK(mapped((void*)maps, "r-xp", "machine_facts") && mapped(&written, "rw-p", "machine_facts"));
  CHECK(mapped("text", "r--p", "machine_facts") && mapped(&local, "rw-p", "[stack]"));
  CHECK(mapped(sbrk(0) - 1, "rw-p", "[heap]") || sbrk(4096) == (void*)-1);
  const int file = open("facts", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(ftruncate(file, 8192) == 0);
  char* shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(mapped(shared, "rw-s", "/facts") && mprotect(shared, 4096, PROT_READ) == 0);
  CHECK(mapped(shared, "r--s", "/facts") && mapped(shared + 4096, "rw-s", " 00001000 "));
  CHECK(munmap(shared, 8192) == 0 && !mapped(shared, "rw-s", "/facts"));
  close(file);
}

static void executable(const char* path) {
  struct stat status, named;
  char target[4096], head[4] = {0};
  const ssize_t length = readlink("/proc/self/exe", target, sizeof target - 1);
  CHECK(length > 0 && target[0] == '/');
  target[length > 0 ? length : 0] = 0;
  const int file = open("/proc/self/exe", O_RDONLY);
  CHECK(read(file, head, 4) == 4 && !memcmp(head, "\177ELF", 4));
  CHECK(fstat(file, &status) == 0 && status.st_size > 4096 && (status.st_mode & 0111) != 0);
  CHECK(stat(target, &named) == 0 && named.st_ino == status.st_ino);
  CHECK(strrchr(path, '/') == NULL || !strcmp(strrchr(target, '/'), strrchr(path, '/')));
  CHECK(access("/proc/self/exe", X_OK) == 0);
  close(file);
}

static void file_limits(void) {
  struct rlimit old, limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0 && old.rlim_cur <= old.rlim_max);
  limit = (struct rlimit){20, old.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && sysconf(_SC_OPEN_MAX) == 20);
  int last = -1, next;
  while ((next = open("/dev/null", O_RDONLY)) >= 0) last = next;
  CHECK(last == 19 && errno == EMFILE);
  FAILS(dup2(0, 20), EBADF);
  FAILS(fcntl(0, F_DUPFD, 20), EINVAL);
  for (int file = 3; file < 20; ++file) close(file);
  CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);

  signal(SIGXFSZ, SIG_IGN);
  const int file = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
  limit = (struct rlimit){1000, old.rlim_max};
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0 && write(file, text, 990) == 990);
  CHECK(write(file, text, 50) == 10);
  FAILS(write(file, text, 1), EFBIG);
  FAILS(ftruncate(file, 1001), EFBIG);
  CHECK(pwrite(file, text, 5, 0) == 5 && setrlimit(RLIMIT_FSIZE, &old) == 0);
  CHECK(write(file, text, 1) == 1);
  close(file);
}

static void memory_limits(void) {
  struct rlimit old, limit;
  CHECK(getrlimit(RLIMIT_AS, &old) == 0);
  limit = (struct rlimit){64 << 20, old.rlim_max};
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
  CHECK(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
        errno == ENOMEM);
  char* blocks[100];
  int count = 0;
  while (count < 100 && (blocks[count] = malloc(1 << 20)) != NULL) {
    memset(blocks[count], 1, 1 << 20);
    ++count;
  }
  CHECK(count >= 30 && count < 64 && errno == ENOMEM);
  while (count > 0) free(blocks[--count]);
  CHECK(setrlimit(RLIMIT_AS, &old) == 0);
  char* large = malloc(80 << 20);
  CHECK(large != NULL);
  free(large);

  limit = (struct rlimit){2, 1};
  FAILS(setrlimit(RLIMIT_CORE, &limit), EINVAL);
  FAILS(syscall(160, 99, &limit), EINVAL);
  CHECK(getrlimit(RLIMIT_STACK, &old) == 0 && setrlimit(RLIMIT_STACK, &old) == 0);
  limit = (struct rlimit){old.rlim_cur / 2, old.rlim_max};
  CHECK(setrlimit(RLIMIT_STACK, &limit) == 0 || errno == EPERM);
  limit = (struct rlimit){100, RLIM_INFINITY};
  CHECK(setrlimit(RLIMIT_CPU, &limit) == 0 || errno == EPERM);
}

static void privileges(void) {
  CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0);
  CHECK(prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
  CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* Last: there is no way back. Each either takes effect or is refused. */
static void users(void) {
  gid_t groups[8], root = 0, other = 77;
  if (getuid() != 0) return;
  CHECK(setuid(0) == 0 && setgid(0) == 0 && setreuid(-1, 0) == 0 && setresgid(0, -1, -1) == 0);
  CHECK(setgroups(1, &root) == 0 && getgroups(8, groups) == 1 && groups[0] == 0);
  CHECK(getgroups(0, groups) == 1 && setgroups(0, NULL) == 0 && getgroups(8, groups) == 0);
  if (setgroups(1, &other) == 0) {
    CHECK(getgroups(8, groups) == 1 && groups[0] == 77);
  } else {
    CHECK(errno == EINVAL && getgroups(8, groups) == 0);
  }
  CHECK(setfsuid(1000) == 0);
  const int last = setfsuid(-1);
  CHECK(last == 1000 || last == 0);
  CHECK(setegid(1000) == 0 ? getegid() == 1000 : (errno == EINVAL && getegid() == 0));
  if (setuid(1000) == 0) {
    CHECK(getuid() == 1000 && geteuid() == 1000);
    FAILS(setuid(0), EPERM);
  } else {
    CHECK(errno == EINVAL && getuid() == 0 && geteuid() == 0);
  }
}

int main(int count, char** arguments) {
  if (count > 1 && chdir(arguments[1]) != 0) return 2;
  memory();
  processors();
  maps();
  executable(arguments[0]);
  file_limits();
  memory_limits();
  privileges();
  users();
  printf("machine_facts: %d failures\n", failures);
  return failures != 0;
}
