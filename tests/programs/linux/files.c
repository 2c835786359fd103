/* Files as a program may use them; every check holds on any Linux. Argument: a directory to work in
 * that can be written, and a file that exists, of at least 8 bytes, to be read and copied on write.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "checks.h"

static void contents(void) {
  char buffer[32] = {0};
  const int file = open("one", O_RDWR | O_CREAT | O_EXCL, 0640);
  CHECK(file >= 3);
  CHECK(write(file, "0123456789", 10) == 10);
  CHECK(lseek(file, 2, SEEK_SET) == 2 && read(file, buffer, 3) == 3 && !memcmp(buffer, "234", 3));
  CHECK(lseek(file, 0, SEEK_CUR) == 5 && lseek(file, -1, SEEK_END) == 9);
  CHECK(pwrite(file, "AB", 2, 4) == 2 && pread(file, buffer, 10, 0) == 10);
  CHECK(!memcmp(buffer, "0123AB6789", 10) && lseek(file, 0, SEEK_CUR) == 9);
  CHECK(lseek(file, 10000, SEEK_SET) == 10000 && write(file, "end", 3) == 3);
  CHECK(pread(file, buffer, 4, 5000) == 4 && !memcmp(buffer, "\0\0\0\0", 4));
  struct stat status;
  CHECK(fstat(file, &status) == 0 && status.st_size == 10003 && S_ISREG(status.st_mode));
  CHECK((status.st_mode & 0777) == 0640 && status.st_nlink == 1);
  CHECK(ftruncate(file, 6) == 0 && ftruncate(file, 20) == 0);
  CHECK(pread(file, buffer, 32, 0) == 20 && !memcmp(buffer, "0123AB\0\0\0\0", 10));
  struct iovec parts[3] = {{"x", 1}, {"yz", 2}, {"", 0}};
  CHECK(lseek(file, 0, SEEK_SET) == 0 && writev(file, parts, 3) == 3);
  char left[2], right[4];
  struct iovec into[2] = {{left, 2}, {right, 4}};
  CHECK(preadv(file, into, 2, 0) == 6 && !memcmp(left, "xy", 2) && !memcmp(right, "z3AB", 4));
  const int again = open("one", O_WRONLY | O_APPEND);
  CHECK(write(again, "!", 1) == 1 && lseek(file, 0, SEEK_END) == 21);
  FAILS(read(again, buffer, 1), EBADF);
  close(again);
  const int copy = dup(file);
  CHECK(lseek(copy, 4, SEEK_SET) == 4 && lseek(file, 0, SEEK_CUR) == 4);
  CHECK(dup2(file, 77) == 77 && close(copy) == 0 && read(77, buffer, 1) == 1);
  CHECK(fcntl(77, F_GETFL) == O_RDWR || fcntl(77, F_GETFL) == (O_RDWR | 0100000));
  CHECK(fcntl(77, F_SETFD, FD_CLOEXEC) == 0 && fcntl(77, F_GETFD) == FD_CLOEXEC);
  CHECK(fcntl(file, F_DUPFD, 100) == 100 && close(100) == 0);
  close(77);
  close(file);
  FAILS(read(file, buffer, 1), EBADF);
  FAILS(open("one", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  FAILS(open("none", O_RDONLY), ENOENT);
  FAILS(open("one/below", O_RDONLY), ENOTDIR);
  FAILS(open(".", O_WRONLY), EISDIR);
  const int empty = open("one", O_WRONLY | O_TRUNC);
  CHECK(fstat(empty, &status) == 0 && status.st_size == 0);
  close(empty);
}

static void names(void) {
  struct stat status, other;
  CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/sub", 0700) == 0);
  FAILS(mkdir("dir", 0755), EEXIST);
  FAILS(rmdir("dir"), ENOTEMPTY);
  CHECK(stat("dir", &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 0777) == 0755);
  CHECK(link("one", "two") == 0 && stat("two", &status) == 0 && stat("one", &other) == 0);
  CHECK(status.st_ino == other.st_ino && status.st_nlink == 2);
  CHECK(symlink("../one", "dir/link") == 0);
  char target[64];
  CHECK(readlink("dir/link", target, sizeof target) == 6 && !memcmp(target, "../one", 6));
  CHECK(lstat("dir/link", &status) == 0 && S_ISLNK(status.st_mode) && status.st_size == 6);
  CHECK(stat("dir/link", &status) == 0 && status.st_ino == other.st_ino);
  FAILS(readlink("one", target, sizeof target), EINVAL);
  CHECK(symlink("loop", "loop") == 0);
  FAILS(open("loop", O_RDONLY), ELOOP);
  CHECK(rename("two", "dir/three") == 0 && access("two", F_OK) == -1 &&
        access("dir/three", R_OK) == 0);
  FAILS(rename("dir", "dir/sub/inside"), EINVAL);
  FAILS(rename("one", "dir"), EISDIR);
  CHECK(rename("dir/sub", "moved") == 0 && stat("moved", &status) == 0);
  CHECK(stat("dir", &status) == 0 && status.st_nlink >= 1);
  CHECK(unlink("dir/three") == 0 && stat("one", &status) == 0 && status.st_nlink == 1);
  FAILS(unlink("moved"), EISDIR);
  FAILS(rmdir("one"), ENOTDIR);
  CHECK(chmod("one", 0400) == 0 && stat("one", &status) == 0 && (status.st_mode & 0777) == 0400);
  const struct timespec times[2] = {{1000, 5}, {2000, 7}};
  CHECK(utimensat(AT_FDCWD, "one", times, 0) == 0 && stat("one", &status) == 0);
  CHECK(status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 7);
  const int file = open("gone", O_RDWR | O_CREAT, 0600);
  CHECK(write(file, "kept", 4) == 4 && unlink("gone") == 0 && pread(file, target, 4, 0) == 4);
  CHECK(fstat(file, &status) == 0 && status.st_nlink == 0);
  close(file);
}

static int compare(const void* a, const void* b) { return strcmp(*(char**)a, *(char**)b); }

static void directories(void) {
  char path[4096], before[4096];
  char* list[512];
  int count = 0;
  CHECK(mkdir("many", 0755) == 0 && getcwd(before, sizeof before) != NULL && chdir("many") == 0);
  for (int i = 0; i < 300; ++i) {
    snprintf(path, sizeof path, "file number %d", i);
    close(open(path, O_WRONLY | O_CREAT, 0644));
  }
  CHECK(getcwd(path, sizeof path) != NULL && !strcmp(path + strlen(path) - 5, "/many"));
  DIR* directory = opendir(".");
  for (struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    CHECK(entry->d_type == DT_REG && count < 512);
    list[count++] = strdup(entry->d_name);
    if (count % 3 == 0) unlink(entry->d_name); /* while the stream is read */
  }
  closedir(directory);
  CHECK(count == 300);
  qsort(list, (size_t)count, sizeof *list, compare);
  for (int i = 1; i < count; ++i) CHECK(strcmp(list[i - 1], list[i]) != 0);
  for (int i = 0; i < count; ++i) unlink(list[i]);
  CHECK(chdir("..") == 0 && rmdir("many") == 0 && getcwd(path, sizeof path) &&
        !strcmp(path, before));
  const int here = open(".", O_RDONLY | O_DIRECTORY);
  CHECK(openat(here, "one", O_RDONLY) >= 0 && faccessat(here, "moved", F_OK, 0) == 0);
  FAILS(openat(here, "none", O_RDONLY), ENOENT);
  CHECK(unlinkat(here, "moved", AT_REMOVEDIR) == 0 && fchdir(here) == 0);
  close(here);
  FAILS(chdir("one"), ENOTDIR);
}

static void existing(const char* path) {
  char before[8], after[8];
  struct stat status;
  const int file = open(path, O_RDWR);
  CHECK(file >= 0 && fstat(file, &status) == 0);
  CHECK(pread(file, before, 8, 0) == 8 && pwrite(file, "changed!", 8, 0) == 8);
  CHECK(pread(file, after, 8, 0) == 8 && !memcmp(after, "changed!", 8));
  CHECK(pwrite(file, before, 8, 0) == 8);
  const off_t size = lseek(file, 0, SEEK_END);
  CHECK(size == status.st_size);
  close(file);
}

static void pipes_and_waiting(void) {
  int ends[2];
  char buffer[16];
  CHECK(pipe2(ends, O_NONBLOCK) == 0);
  FAILS(read(ends[0], buffer, 1), EAGAIN);
  struct pollfd entries[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  CHECK(poll(entries, 2, 0) == 1 && entries[0].revents == 0 && entries[1].revents == POLLOUT);
  CHECK(write(ends[1], "through", 7) == 7 && poll(entries, 1, -1) == 1);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  CHECK(select(ends[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &set));
  CHECK(read(ends[0], buffer, 16) == 7 && !memcmp(buffer, "through", 7));
  FAILS(lseek(ends[0], 0, SEEK_SET), ESPIPE);
  close(ends[1]);
  CHECK(read(ends[0], buffer, 1) == 0 && poll(entries, 1, 0) == 1 && entries[0].revents == POLLHUP);
  close(ends[0]);
  CHECK(poll(NULL, 0, 20) == 0);
}

static void devices(void) {
  char buffer[64];
  memset(buffer, 1, sizeof buffer);
  const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
  const int random = open("/dev/urandom", O_RDONLY), full = open("/dev/full", O_WRONLY);
  CHECK(read(null, buffer, 1) == 0 && write(null, buffer, 5) == 5);
  CHECK(read(zero, buffer, 64) == 64 && buffer[63] == 0);
  CHECK(read(random, buffer, 64) == 64 && memcmp(buffer, buffer + 32, 32) != 0);
  FAILS(write(full, buffer, 1), ENOSPC);
  CHECK(isatty(null) == 0);
}

int main(int count, char** arguments) {
  umask(022);
  if (count < 2 || chdir(arguments[1]) != 0) return 2;
  CHECK(mkdir("files.work", 0755) == 0 && chdir("files.work") == 0);
  contents();
  names();
  directories();
  if (count > 2) existing(arguments[2]);
  pipes_and_waiting();
  devices();
  CHECK(unlink("one") == 0 && unlink("dir/link") == 0 && rmdir("dir") == 0 && unlink("loop") == 0);
  CHECK(chdir("..") == 0 && rmdir("files.work") == 0);
  printf("files: %d failures\n", failures);
  return failures != 0;
}
