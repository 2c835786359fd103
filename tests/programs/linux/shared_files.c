/* Files that are shared: by two open descriptions, by a mapping and its file, by name (/dev/shm).
 * Every check holds on any Linux; where Linux could also refuse, so may the machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "checks.h"

#define MAP_FAILS(call, code) CHECK((errno = 0, (call) == MAP_FAILED && errno == (code)))

enum { page = 4096 };

static void locks(void) {
  const int one = open("lock", O_RDWR | O_CREAT, 0600), other = open("lock", O_RDONLY);
  const int same = dup(one);
  CHECK(flock(one, LOCK_SH) == 0 && flock(other, LOCK_SH | LOCK_NB) == 0);
  FAILS(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  CHECK(flock(other, LOCK_SH) == 0 && flock(one, LOCK_UN) == 0);
  CHECK(flock(other, LOCK_EX) == 0);
  FAILS(flock(one, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  FAILS(flock(same, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  close(other);
  CHECK(flock(one, LOCK_EX | LOCK_NB) == 0 && flock(same, LOCK_EX | LOCK_NB) == 0);
  const int third = open("lock", O_RDWR);
  FAILS(flock(third, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  close(one);
  FAILS(flock(third, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  close(same);
  CHECK(flock(third, LOCK_EX | LOCK_NB) == 0);
  FAILS(flock(third, 77), EINVAL);
  FAILS(flock(99, LOCK_SH), EBADF);
  close(third);
}

static void holes(void) {
  struct stat status;
  const int file = open("holes", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(pwrite(file, "x", 1, 64 * page) == 1 && pwrite(file, "y", 1, 128 * page) == 1);
  CHECK(ftruncate(file, 192 * page) == 0);
  CHECK(lseek(file, 0, SEEK_HOLE) == 0 && lseek(file, 0, SEEK_DATA) == 64 * page);
  CHECK(lseek(file, 64 * page, SEEK_DATA) == 64 * page);
  CHECK(lseek(file, 64 * page + 9, SEEK_DATA) == 64 * page + 9);
  CHECK(lseek(file, 64 * page, SEEK_HOLE) == 65 * page);
  CHECK(lseek(file, 65 * page, SEEK_DATA) == 128 * page);
  FAILS(lseek(file, 129 * page, SEEK_DATA), ENXIO);
  FAILS(lseek(file, 192 * page, SEEK_HOLE), ENXIO);
  FAILS(lseek(file, 192 * page, SEEK_DATA), ENXIO);
  CHECK(lseek(file, 191 * page, SEEK_HOLE) == 191 * page);
  CHECK(fstat(file, &status) == 0 && status.st_size == 192 * page);
  CHECK(status.st_blocks * 512 < 64 * page);
  CHECK(posix_fallocate(file, 0, 32 * page) == 0 && fstat(file, &status) == 0);
  CHECK(status.st_size == 192 * page && status.st_blocks * 512 >= 32 * page);
  CHECK(fallocate(file, FALLOC_FL_KEEP_SIZE, 192 * page, 8 * page) == 0);
  CHECK(lseek(file, 0, SEEK_END) == 192 * page);
  close(file);
}

static void bytes_ready(void) {
  int ends[2], count = -1;
  CHECK(pipe(ends) == 0 && write(ends[1], "12345", 5) == 5);
  CHECK(ioctl(ends[0], FIONREAD, &count) == 0 && count == 5);
  const int file = open("ready", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(write(file, "0123456789", 10) == 10 && lseek(file, 4, SEEK_SET) == 4);
  CHECK(ioctl(file, FIONREAD, &count) == 0 && count == 6);
  const int null = open("/dev/null", O_RDWR);
  FAILS(ioctl(null, FIONREAD, &count), ENOTTY);
  close(null);
  close(file);
  close(ends[0]);
  close(ends[1]);
}

static sigjmp_buf back;
static volatile siginfo_t seen;
static volatile int expected;

static void leave(int number, siginfo_t* info, void* context) {
  (void)context;
  if (!expected) {
    printf("signal %d at %p\n", number, info->si_addr);
    exit(3);
  }
  seen = *info;
  siglongjmp(back, 1);
}

/* Whether touching the byte brings SIGBUS, for what lies behind the file's end. */
static int breaks(volatile char* byte) {
  expected = 1;
  if (sigsetjmp(back, 1)) {
    expected = 0;
    return seen.si_signo == SIGBUS && seen.si_code == BUS_ADRERR && seen.si_addr == byte;
  }
  *byte;
  expected = 0;
  return 0;
}

static void shared_mapping(void) {
  char text[8] = {0};
  const int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(write(file, "first", 5) == 5 && pwrite(file, "second", 6, page) == 6);
  char* map = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(map != MAP_FAILED && !memcmp(map, "first", 6) && !memcmp(map + page, "second", 6));
  /* Each sees what the other one writes. */
  CHECK(pwrite(file, "FIR", 3, 0) == 3 && !memcmp(map, "FIRst", 5));
  memcpy(map + page, "SEC", 3);
  CHECK(pread(file, text, 6, page) == 6 && !memcmp(text, "SECond", 6));
  CHECK(read(file, map + 10, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
  CHECK(write(file, map + page, 3) == 3 && !memcmp(map, "SECst", 5));
  map[page + 10] = 'z'; /* behind the end, in its page: not part of the file */
  CHECK(lseek(file, 0, SEEK_END) == page + 6);
  /* Pages behind the end come and go with the file's size. */
  CHECK(breaks(map + 2 * page) && breaks(map + 4 * page - 1));
  CHECK(pwrite(file, "third", 5, 2 * page) == 5 && !memcmp(map + 2 * page, "third", 6));
  CHECK(breaks(map + 3 * page));
  CHECK(ftruncate(file, 3 * page + 1) == 0 && map[3 * page] == 0);
  map[3 * page] = 'l';
  CHECK(pread(file, text, 8, 3 * page) == 1 && text[0] == 'l');
  CHECK(ftruncate(file, page + 3) == 0 && breaks(map + 2 * page) && breaks(map + 3 * page));
  CHECK(!memcmp(map + page, "SEC\0\0\0", 6) && map[page + 10] == 0);
  CHECK(ftruncate(file, 4 * page) == 0 && map[2 * page] == 0 && map[3 * page] == 0);
  CHECK(msync(map, 4 * page, MS_SYNC) == 0);
  FAILS(msync(map, page, MS_SYNC | MS_ASYNC), EINVAL);
  /* Protected, it still follows the file. */
  CHECK(mprotect(map, page, PROT_READ) == 0 && pwrite(file, "ro", 2, 0) == 2);
  CHECK(!memcmp(map, "roCst", 5) && mprotect(map, page, PROT_NONE) == 0);
  CHECK(pwrite(file, "no", 2, 0) == 2 && pread(file, text, 5, 0) == 5);
  CHECK(!memcmp(text, "noCst", 5) && mprotect(map, page, PROT_READ | PROT_WRITE) == 0);
  CHECK(!memcmp(map, "noCst", 5));
  CHECK(madvise(map, page, MADV_DONTNEED) == 0 && !memcmp(map, "noCst", 5));
  /* What was written outlives the mapping, and the descriptor is not needed. */
  close(file);
  memcpy(map + 3 * page, "tail", 4);
  CHECK(munmap(map + page, page) == 0 && munmap(map, page) == 0);
  CHECK(munmap(map + 2 * page, 2 * page) == 0);
  const int again = open("mapped", O_RDONLY);
  CHECK(pread(again, text, 5, 0) == 5 && !memcmp(text, "noCst", 5));
  CHECK(pread(again, text, 3, page) == 3 && !memcmp(text, "SEC", 3));
  CHECK(pread(again, text, 4, 3 * page) == 4 && !memcmp(text, "tail", 4));
  MAP_FAILS(mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0), EACCES);
  /* Twice at once, when nobody can write to it by the mapping. */
  char* one = mmap(NULL, page, PROT_READ, MAP_SHARED, again, 0);
  char* two = mmap(NULL, page, PROT_READ, MAP_SHARED, again, 0);
  FAILS(mprotect(one, page, PROT_READ | PROT_WRITE), EACCES);
  const int writer = open("mapped", O_WRONLY);
  CHECK(pwrite(writer, "both", 4, 2) == 4 && !memcmp(one, "noboth", 6) &&
        !memcmp(two, "noboth", 6));
  CHECK(ftruncate(writer, 4) == 0 && !memcmp(one, "nobo\0\0", 6));
  MAP_FAILS(mmap(NULL, page, PROT_READ, MAP_SHARED, writer, 0), EACCES);
  CHECK(munmap(one, page) == 0 && munmap(two, page) == 0);
  close(writer);
  close(again);
}

static void private_mapping(void) {
  char text[8] = {0};
  const int file = open("private", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(write(file, "text", 4) == 4);
  char* map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  CHECK(!memcmp(map, "text", 5) && breaks(map + page));
  memcpy(map, "TEXT", 4);
  CHECK(pread(file, text, 4, 0) == 4 && !memcmp(text, "text", 4));
  CHECK(madvise(map, page, MADV_DONTNEED) == 0 && !memcmp(map, "text", 5));
  CHECK(munmap(map, 2 * page) == 0);
  close(file);
}

static void two_mappings(void) {
  char text[8] = {0};
  const int file = open("twice", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(ftruncate(file, page) == 0);
  const int reader = open("twice", O_RDONLY);
  char* copy = mmap(NULL, page, PROT_READ, MAP_SHARED, reader, 0);
  char* one = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char* two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(one != MAP_FAILED && two != MAP_FAILED);
  for (int i = 0; i < 10; ++i) {
    one[i] = (char)(i + 1);
    CHECK(two[i] == i + 1 && copy[i] == i + 1);
    two[i] += 10;
    CHECK(one[i] == i + 11 && pread(file, text, 1, i) == 1 && text[0] == i + 11);
  }
  CHECK(pwrite(file, "new", 3, 0) == 3 && !memcmp(two, "new", 3) && !memcmp(one, "new", 3));
  /* By a call that reads from one of them and writes to the other. */
  CHECK(pwrite(file, two, 3, 100) == 3 && one[100] == 'n' && pread(file, one + 200, 3, 0) == 3);
  CHECK(!memcmp(two + 200, "new", 3) && copy[200] == 'n');
  FAILS(mprotect(copy, page, PROT_READ | PROT_WRITE), EACCES);
  CHECK(mprotect(two, page, PROT_READ) == 0 && mprotect(one, page, PROT_NONE) == 0);
  CHECK(two[0] == 'n' && mprotect(one, page, PROT_READ | PROT_WRITE) == 0);
  one[0] = 'N';
  CHECK(two[0] == 'N' && breaks(one + page) && breaks(two + page));
  CHECK(pwrite(file, "more", 4, page) == 4 && one[page] == 'm' && two[page + 3] == 'e');
  CHECK(mprotect(two, page, PROT_READ | PROT_WRITE) == 0);
  two[1] = 'E';
  CHECK(munmap(two, 2 * page) == 0 && one[1] == 'E' && copy[1] == 'E');
  one[2] = 'W';
  /* In place of itself it stays the same. */
  CHECK(mmap(one, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == one);
  CHECK(!memcmp(one, "NEW", 3));
  CHECK(mmap(one, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == one);
  CHECK(one[0] == 0 && copy[2] == 'W' && pread(file, text, 3, 0) == 3 && !memcmp(text, "NEW", 3));
  close(file);
  close(reader);
}

static void named_memory(void) {
  struct stat status;
  FAILS(shm_open("/reprise-shm", O_RDWR, 0600), ENOENT);
  const int memory = shm_open("/reprise-shm", O_RDWR | O_CREAT | O_EXCL, 0600);
  CHECK(memory >= 0 && ftruncate(memory, 2 * page) == 0);
  CHECK(fstat(memory, &status) == 0 && status.st_size == 2 * page);
  int* words = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(words != MAP_FAILED && words[1500] == 0);
  words[1500] = 77;
  int value = 0;
  const int again = shm_open("/reprise-shm", O_RDONLY, 0);
  CHECK(pread(again, &value, sizeof value, 6000) == sizeof value && value == 77);
  CHECK(shm_unlink("/reprise-shm") == 0 && words[1500] == 77);
  FAILS(shm_unlink("/reprise-shm"), ENOENT);
  CHECK(munmap(words, 2 * page) == 0);
  close(memory);
  close(again);

  sem_t* semaphore = sem_open("/reprise-sem", O_CREAT | O_EXCL, 0600, 1);
  CHECK(semaphore != SEM_FAILED && sem_wait(semaphore) == 0);
  FAILS(sem_trywait(semaphore), EAGAIN);
  sem_t* twin = sem_open("/reprise-sem", 0);
  CHECK(twin == semaphore && sem_post(twin) == 0 && sem_getvalue(semaphore, &value) == 0);
  CHECK(value == 1 && sem_close(twin) == 0 && sem_close(semaphore) == 0);
  CHECK(sem_unlink("/reprise-sem") == 0);
  CHECK(sem_open("/reprise-sem", 0) == SEM_FAILED && errno == ENOENT);
}

static void file_system(void) {
  struct statvfs status, again;
  CHECK(statvfs(".", &status) == 0 && status.f_bsize >= 512 && status.f_namemax == 255);
  CHECK(status.f_blocks > 0 && status.f_bfree > 0 && status.f_bfree <= status.f_blocks);
  CHECK(status.f_bavail > 0 && status.f_bavail <= status.f_bfree);
  CHECK(statvfs("/dev/shm", &again) == 0 && again.f_blocks > 0);
  FAILS(statvfs("none", &status), ENOENT);
}

int main(int count, char** arguments) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = leave;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  if (count > 1 && chdir(arguments[1]) != 0) return 2;
  locks();
  holes();
  bytes_ready();
  shared_mapping();
  private_mapping();
  two_mappings();
  named_memory();
  file_system();
  printf("shared_files: %d failures\n", failures);
  return failures != 0;
}
