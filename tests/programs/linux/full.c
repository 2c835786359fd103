/* Uses memory up until there is none: each call that needs more says so, and the program goes on
 * with what it has. Only for a machine that it may fill. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { block = 256 << 10, most = 4096 };

static char buffer[block];
static char* blocks[most];

static void check(int good, const char* what) {
  if (good) return;
  printf("full: %s (errno %d)\n", what, errno);
  exit(1);
}

/* Allocates and writes block by block. Returns how many there were. */
static int fill_heap(void) {
  int count = 0;
  while (count < most && (blocks[count] = malloc(block)) != NULL) {
    memset(blocks[count], count + 1, block);
    ++count;
  }
  check(count < most && errno == ENOMEM, "malloc did not end by ENOMEM");
  for (int i = 0; i < count; ++i) {
    check(blocks[i][0] == (char)(i + 1) && blocks[i][block - 1] == (char)(i + 1),
          "a block changed");
  }
  return count;
}

static long fill_file(const char* name) {
  const int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
  long total = 0;
  ssize_t written;
  check(file >= 0, "no file");
  memset(buffer, 'f', sizeof buffer);
  while ((written = write(file, buffer, sizeof buffer)) > 0) total += written;
  check(written < 0 && errno == ENOSPC, "write did not end by ENOSPC");
  check(lseek(file, 0, SEEK_END) == total, "the file is shorter than what was written");
  check(pread(file, buffer, 1, total - 1) == 1 && buffer[0] == 'f', "the file's end is wrong");
  close(file);
  return total;
}

int main(void) {
  struct statvfs status;
  check(statvfs("/tmp", &status) == 0, "statvfs");
  const long long memory = (long long)status.f_blocks * status.f_frsize;
  check(mmap(NULL, (size_t)memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                MAP_FAILED &&
            errno == ENOMEM,
        "as much as the machine has was mapped");
  void* sparse = mmap(NULL, (size_t)memory, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(sparse != MAP_FAILED && munmap(sparse, (size_t)memory) == 0, "MAP_NORESERVE");
  const int first = fill_heap();
  check((long long)first * block > memory / 4, "malloc ended too early");
  printf("full: malloc says ENOMEM\n");
  for (int i = 0; i < first; ++i) free(blocks[i]);
  const long written = fill_file("/tmp/full");
  check(written > memory / 4, "write ended too early");
  check(posix_fallocate(open("/tmp/other", O_RDWR | O_CREAT, 0600), 0, 1 << 20) == ENOSPC,
        "fallocate found room");
  printf("full: write says ENOSPC\n");
  check(unlink("/tmp/full") == 0 && fill_file("/tmp/again") > written / 2, "no room again");
  printf("full: 0 failures\n");
  return 0;
}
