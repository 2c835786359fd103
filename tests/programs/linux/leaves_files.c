/* Leaves files of all kinds, then is ended by a signal. For tests of how they come back. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int result) {
  if (result < 0) {
    perror("leaves_files");
    exit(1);
  }
}

static void append(const char* name, const char* text) {
  const int file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
  check(file);
  check(write(file, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1);
  check(close(file));
}

int main(void) {
  static unsigned char bytes[100000];
  for (unsigned n = 0; n < sizeof bytes; ++n) bytes[n] = (unsigned char)(n * 7);
  check(mkdir("made", 0755));
  check(mkdir("made/tree", 0755));
  check(mkdir("made/tree/deep", 0755));
  check(mkdir("made/tree/empty folder", 0755));
  const int large = open("made/tree/deep/large", O_WRONLY | O_CREAT, 0600);
  check(large);
  check(pwrite(large, bytes, sizeof bytes, sizeof bytes) == sizeof bytes ? 0
                                                                         : -1); /* behind a hole */
  const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
  check(futimens(large, times));
  check(fchmod(large, 0750));
  check(symlink("../link's target", "made/tree/deep/link"));
  append("longer", "second\n");
  append("old name", "other\n");
  check(rename("old name", "new name"));
  check(rename("folder/below", "folder/renamed"));
  append("gone", "gone\n");
  check(unlink("gone"));
  abort();
}
