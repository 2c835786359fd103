/* Waiting as a program may do it: with a time limit, for a timer's signal, for time that passes or
 * is worked off. Every check holds on any Linux; no check needs more than that time goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "checks.h"

enum { millisecond = 1000000 };
/* linux/futex.h, which musl does not have. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9 };
static volatile sig_atomic_t alarms;

static void note(int number) {
  (void)number;
  ++alarms;
}

static void install(int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = note;
  action.sa_flags = flags;
  sigaction(SIGALRM, &action, NULL);
}

static long now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct timespec after(clockid_t clock, long length) {
  const long end = now(clock) + length;
  return (struct timespec){end / 1000000000, end % 1000000000};
}

static void set_timer(long length, long interval) {
  const struct itimerval timer = {{0, interval / 1000}, {0, length / 1000}};
  CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Comes again and again: a wait that begins too late for the first signal is ended by a later one.
 */
static void repeat_timer(void) { set_timer(5 * millisecond, 5 * millisecond); }

static void conditions(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER, monotonic;
  pthread_condattr_t by_monotonic;
  long begin = now(CLOCK_MONOTONIC);
  struct timespec end = after(CLOCK_REALTIME, 20 * millisecond);
  pthread_mutex_lock(&mutex);
  CHECK(pthread_cond_timedwait(&condition, &mutex, &end) == ETIMEDOUT);
  CHECK(now(CLOCK_MONOTONIC) - begin > 15 * millisecond);
  end = after(CLOCK_MONOTONIC, 20 * millisecond);
  begin = now(CLOCK_MONOTONIC);
  pthread_condattr_init(&by_monotonic);
  pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&monotonic, &by_monotonic);
  CHECK(pthread_cond_timedwait(&monotonic, &mutex, &end) == ETIMEDOUT);
  CHECK(now(CLOCK_MONOTONIC) - begin > 15 * millisecond);
  pthread_mutex_unlock(&mutex);
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  end = after(CLOCK_REALTIME, 20 * millisecond);
  begin = now(CLOCK_MONOTONIC);
  CHECK(sem_timedwait(&semaphore, &end) == 0);
  FAILS(sem_timedwait(&semaphore, &end), ETIMEDOUT);
  CHECK(now(CLOCK_MONOTONIC) - begin > 15 * millisecond);
  FAILS(sem_trywait(&semaphore), EAGAIN);
}

static void futexes(void) {
  int word = 5;
  const struct timespec length = {0, 10 * millisecond}, wrong = {0, 1000 * millisecond};
  const long begin = now(CLOCK_MONOTONIC);
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 4, &length), EAGAIN);
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &wrong), EINVAL);
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &length), ETIMEDOUT);
  CHECK(now(CLOCK_MONOTONIC) - begin >= 10 * millisecond);
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5, &length, NULL, 0), EINVAL);
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5, &length, NULL, ~0), ETIMEDOUT);
  FAILS(syscall(SYS_futex, (char*)&word + 1, FUTEX_WAIT, 5, &length), EINVAL);
  FAILS(syscall(SYS_futex, NULL, FUTEX_WAIT, 5, &length), EFAULT);
  CHECK(syscall(SYS_futex, &word, FUTEX_WAKE, 1) == 0);
  install(0);
  repeat_timer();
  FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 5, NULL), EINTR);
  set_timer(0, 0);
  CHECK(alarms > 0);
}

static void alarms_end_waits(void) {
  struct timespec left = {0, 0};
  const struct timespec long_time = {1000, 0};
  sigset_t mask;
  install(SA_RESTART);
  repeat_timer();
  FAILS(pause(), EINTR);
  FAILS(nanosleep(&long_time, &left), EINTR);
  CHECK(left.tv_sec < 1000 && left.tv_sec > 900);
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, NULL) == EINTR);
  FAILS(poll(NULL, 0, 1000000), EINTR);
  FAILS(select(0, NULL, NULL, NULL, NULL), EINTR);
  set_timer(0, 0);
  CHECK(alarms >= 5);
  alarms = 4;

  /* Blocked, it waits; a call with a mask of its own lets it in, and the mask is back behind it. */
  sigemptyset(&mask);
  sigaddset(&mask, SIGALRM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  set_timer(2 * millisecond, 0);
  CHECK(nanosleep(&(struct timespec){0, 5 * millisecond}, NULL) == 0 && alarms == 4);
  sigset_t none, current;
  sigemptyset(&none);
  FAILS(sigsuspend(&none), EINTR);
  CHECK(alarms == 5 && sigprocmask(SIG_BLOCK, NULL, &current) == 0);
  CHECK(sigismember(&current, SIGALRM));
  set_timer(2 * millisecond, 0);
  FAILS(ppoll(NULL, 0, &long_time, &none), EINTR);
  CHECK(alarms == 6 && sigprocmask(SIG_BLOCK, NULL, &current) == 0);
  CHECK(sigismember(&current, SIGALRM));
  CHECK(pselect(0, NULL, NULL, NULL, &(struct timespec){0, 0}, &none) == 0);
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
  signal(SIGALRM, SIG_IGN);
  set_timer(2 * millisecond, 0);
  CHECK(nanosleep(&(struct timespec){0, 5 * millisecond}, NULL) == 0 && alarms == 6);
}

static void timers(void) {
  struct itimerval timer;
  alarms = 0;
  install(SA_RESTART);
  CHECK(alarm(10000) == 0);
  const unsigned left = alarm(5000);
  CHECK(left > 9000 && left <= 10000 && alarm(0) > 4000 && alarm(0) == 0);
  set_timer(500 * millisecond, 3 * millisecond);
  CHECK(getitimer(ITIMER_REAL, &timer) == 0 && timer.it_interval.tv_usec == 3000);
  CHECK(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec > 0);
  CHECK(alarm(0) == 1);
  FAILS(syscall(SYS_getitimer, 3, &timer), EINVAL);
  /* While the program computes and makes no call. */
  set_timer(3 * millisecond, 0);
  volatile unsigned long rounds = 0;
  while (alarms == 0) ++rounds;
  CHECK(alarms == 1 && rounds > 0);
  set_timer(2 * millisecond, 2 * millisecond);
  while (alarms < 4) ++rounds;
  set_timer(0, 0);
  CHECK(getitimer(ITIMER_REAL, &timer) == 0);
  CHECK(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0);
}

static void processor_time(void) {
  struct rusage before, behind;
  const long begin = now(CLOCK_PROCESS_CPUTIME_ID);
  CHECK(getrusage(RUSAGE_SELF, &before) == 0);
  CHECK(nanosleep(&(struct timespec){0, 400 * millisecond}, NULL) == 0);
  CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - begin < 200 * millisecond);
  CHECK(getrusage(RUSAGE_SELF, &behind) == 0);
  CHECK(behind.ru_utime.tv_sec - before.ru_utime.tv_sec < 2);
  FAILS(syscall(SYS_getrusage, 7, &behind), EINVAL);
  const long work = now(CLOCK_THREAD_CPUTIME_ID);
  const clock_t ticks = clock();
  for (volatile int i = 0; i < 2000000; ++i) {
  }
  CHECK(now(CLOCK_THREAD_CPUTIME_ID) > work && clock() >= ticks);
}

/* A thread, or the error that says that there are too many. */
static void* thread(void* unused) { return unused; }

static void threads(void) {
  pthread_t started;
  const int result = pthread_create(&started, NULL, thread, NULL);
  CHECK(result == 0 || result == EAGAIN);
  if (result == 0) pthread_join(started, NULL);
}

int main(int count, char** arguments) {
  if (count > 1 && !strcmp(arguments[1], "lock")) {
    int word = 0;
    return (int)syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL);
  }
  conditions();
  futexes();
  alarms_end_waits();
  timers();
  processor_time();
  threads();
  printf("waits: %d failures\n", failures);
  return failures != 0;
}
