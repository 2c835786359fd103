/* Copies its standard input to the standard output as it is, and to the standard error output with
 * every bit turned, in pieces of all sizes. Ends with status 3. For tests of where these go. */
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void write_all(int to, const unsigned char* from, size_t bytes) {
  while (bytes != 0) {
    const ssize_t done = write(to, from, bytes);
    if (done <= 0) _exit(4);
    from += done;
    bytes -= (size_t)done;
  }
}

int main(void) {
  static const size_t sizes[] = {1, 7, 4096, 100000, 65536, 30};
  static unsigned char buffer[100000];
  for (unsigned round = 0;; ++round) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (poll(&input, 1, -1) != 1) return 5;
    int waiting = 0;
    if (ioctl(0, FIONREAD, &waiting) != 0) return 6;
    const ssize_t got = read(0, buffer, sizes[round % 6]);
    if (got < 0 || (got == 0) != (waiting == 0)) return 7;
    if (got == 0) break;
    write_all(1, buffer, (size_t)got);
    for (ssize_t i = 0; i < got; ++i) buffer[i] = (unsigned char)~buffer[i];
    write_all(2, buffer, (size_t)got);
  }
  fputs("no line feed at the end", stdout);
  return isatty(0) || isatty(1) || isatty(2) ? 8 : 3;
}
