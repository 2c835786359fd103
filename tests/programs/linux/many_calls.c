// Many system calls of the kind that a personality serves without the kernel, and some arithmetic
// between them. Prints a digest of all results.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t digest = 14695981039346656037u;

static void add(long value) { digest = (digest ^ (uint64_t)value) * 1099511628211u; }

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 120;
  const int file = open("/numbers", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return 1;
  for (int round = 0; round < rounds; ++round) {
    char text[48];
    const int length = snprintf(text, sizeof text, "%d squared is %d\n", round, round * round);
    add(write(file, text, (size_t)length));
    add(lseek(file, -length / 2, SEEK_CUR));
    add(read(file, text, sizeof text));
    add(text[3]);
    add(pread(file, text, 16, round));
    add(text[7]);
    struct stat status;
    add(fstat(file, &status));
    add(status.st_size);
    add(getuid() + (unsigned)close(-1));
    char* const memory = malloc((size_t)(5000 * (round % 7 + 1)));
    memory[round] = (char)round;
    add(memory[round]);
    if (round % 3 != 0) free(memory);
  }
  printf("many_calls: %d rounds, digest %016lx\n", rounds, (unsigned long)digest);
  return 0;
}
