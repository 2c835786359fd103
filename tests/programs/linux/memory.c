/* The address space as Linux calls change it; every check holds on any Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checks.h"

enum { page = 4096 };

static char* anonymous(size_t bytes, int protection) {
  return mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Whether a byte can be read. Asks without a fault of this program. */
static int readable(const char* at) {
  int ends[2], result;
  if (pipe(ends) != 0) return -1;
  result = write(ends[1], at, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return result;
}

static void mapping(void) {
  char* area = anonymous(16 * page, PROT_READ | PROT_WRITE);
  CHECK(area != MAP_FAILED && area[0] == 0 && area[16 * page - 1] == 0);
  memset(area, 7, 16 * page);
  CHECK(munmap(area + 4 * page, 4 * page) == 0);
  CHECK(!readable(area + 4 * page) && readable(area + 3 * page) && readable(area + 8 * page));
  char* hole = mmap(area + 4 * page, 4 * page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(hole == area + 4 * page && hole[0] == 0 && area[3 * page] == 7);
  char* over =
      mmap(area, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(over == area && area[0] == 0 && area[page] == 7);
  CHECK(mmap(area, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
            MAP_FAILED &&
        errno == EEXIST);
  CHECK(munmap(area, 16 * page) == 0 && !readable(area));
  CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
        errno == EINVAL);
  CHECK(munmap(area + 1, page) == -1 && errno == EINVAL);
  CHECK(anonymous((size_t)1 << 60, PROT_READ) == MAP_FAILED && errno == ENOMEM);
}

static void protection(void) {
  char* area = anonymous(8 * page, PROT_NONE);
  CHECK(area != MAP_FAILED && !readable(area));
  CHECK(mprotect(area + 2 * page, 2 * page, PROT_READ | PROT_WRITE) == 0);
  CHECK(readable(area + 2 * page) && readable(area + 3 * page) && !readable(area + 4 * page));
  area[2 * page] = 5;
  CHECK(mprotect(area + 2 * page, page, PROT_NONE) == 0 && !readable(area + 2 * page));
  CHECK(mprotect(area, 8 * page, PROT_READ) == 0);
  CHECK(area[2 * page] == 5 && area[7 * page] == 0);
  CHECK(munmap(area, 8 * page) == 0);
  CHECK(mprotect(area, page, PROT_READ) == -1 && errno == ENOMEM);
}

static void moving(void) {
  const size_t size = 64 * page;
  char* area = anonymous(size, PROT_READ | PROT_WRITE);
  for (size_t i = 0; i < size; i += page) area[i] = (char)(i / page);
  char* grown = mremap(area, size, 4 * size, MREMAP_MAYMOVE);
  CHECK(grown != MAP_FAILED && grown[63 * page] == 63 && grown[4 * size - 1] == 0);
  char* shrunk = mremap(grown, 4 * size, page, 0);
  CHECK(shrunk == grown && !readable(grown + page) && grown[0] == 0);
  /* A neighbour is in the way, so without MAYMOVE the call fails. */
  char* pair = anonymous(2 * page, PROT_READ | PROT_WRITE);
  CHECK(mremap(pair, page, 2 * page, 0) == MAP_FAILED && errno == ENOMEM);
  pair[0] = 9, pair[page] = 10;
  char* moved = mremap(pair, page, 2 * page, MREMAP_MAYMOVE);
  CHECK(moved != MAP_FAILED && moved != pair && moved[0] == 9 && moved[page] == 0);
  CHECK(pair[page] == 10 && !readable(pair));
  char* target = anonymous(4 * page, PROT_READ | PROT_WRITE);
  CHECK(mremap(moved, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
  CHECK(target[0] == 9 && !readable(moved));
  CHECK(mremap((void*)0x10000000, page, 2 * page, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

static void advice(void) {
  char* area = anonymous(4 * page, PROT_READ | PROT_WRITE);
  memset(area, 3, 4 * page);
  CHECK(madvise(area + page, 2 * page, MADV_DONTNEED) == 0);
  CHECK(area[0] == 3 && area[page] == 0 && area[3 * page - 1] == 0 && area[3 * page] == 3);
  CHECK(madvise(area, page, MADV_WILLNEED) == 0);
}

static void break_area(void) {
  char* start = sbrk(0);
  if (sbrk(page) == (void*)-1) return; /* musl keeps the break to itself */
  CHECK(brk(start) == 0);
  CHECK(sbrk(10 * page) == start);
  memset(start, 1, 10 * page);
  CHECK(brk(start + page) == 0);
  CHECK(sbrk(0) == start + page);
  CHECK(sbrk(4 * page) == start + page);
  CHECK(start[0] == 1 && start[3 * page] == 0);
  CHECK(brk(start) == 0);
}

static void file_mapping(const char* path) {
  const int file = open(path, O_RDONLY);
  CHECK(file >= 0);
  char first[page + 16];
  const ssize_t size = pread(file, first, sizeof first, 0);
  CHECK(size == (ssize_t)sizeof first);
  char* map = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, file, 0);
  CHECK(map != MAP_FAILED && memcmp(map, first, sizeof first) == 0);
  char* second = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, page);
  CHECK(second != MAP_FAILED && memcmp(second, first + page, 16) == 0);
  second[0] ^= 1;
  CHECK(pread(file, first, 1, page) == 1 && first[0] != second[0]);
  char* shared = mmap(NULL, page, PROT_READ, MAP_SHARED, file, 0);
  CHECK(shared != MAP_FAILED && memcmp(shared, map, page) == 0);
  close(file);
  CHECK(mmap(NULL, page, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED && errno == EBADF);
}

static void allocation(void) {
  char* blocks[200] = {0};
  unsigned seed = 1;
  for (int i = 0; i < 20000; ++i) {
    seed = seed * 1103515245 + 12345;
    char** block = &blocks[seed / 65536 % 200];
    const size_t bytes = (seed % 64 == 0 ? 300000 : 2000) * (size_t)(seed / 128 % 7 + 1) / 7 + 1;
    *block = realloc(*block, bytes);
    CHECK(*block != NULL);
    (*block)[0] = (*block)[bytes - 1] = (char)i;
  }
  for (int i = 0; i < 200; ++i) free(blocks[i]);
}

int main(int count, char** arguments) {
  mapping();
  protection();
  moving();
  advice();
  break_area();
  if (count > 1) file_mapping(arguments[1]);
  allocation();
  printf("memory: %d failures\n", failures);
  return failures != 0;
}
