// All handlers, grouped by the file that serves them. docs/linux.md says what each one promises.
#pragma once

#include "user/linux/call.hpp"

namespace personality {

// memory.cpp, remap.cpp
Value call_brk(Call&);
Value call_mmap(Call&);
Value call_munmap(Call&);
Value call_mprotect(Call&);
Value call_mremap(Call&);
Value call_madvise(Call&);
Value call_msync(Call&);

// file_open.cpp
Value call_open(Call&);
Value call_openat(Call&);
Value call_creat(Call&);
Value call_close(Call&);
Value call_close_range(Call&);
Value call_dup(Call&);
Value call_dup2(Call&);
Value call_dup3(Call&);
Value call_fcntl(Call&);

// locks.cpp
Value call_flock(Call&);

// file_transfer.cpp
Value call_read(Call&);
Value call_write(Call&);
Value call_pread64(Call&);
Value call_pwrite64(Call&);
Value call_readv(Call&);
Value call_writev(Call&);
Value call_preadv(Call&);
Value call_pwritev(Call&);
Value call_preadv2(Call&);
Value call_pwritev2(Call&);
Value call_lseek(Call&);
Value call_ftruncate(Call&);
Value call_truncate(Call&);
Value call_fallocate(Call&);
Value call_fsync(Call&);
Value call_sync(Call&);

// file_status.cpp
Value call_stat(Call&);
Value call_lstat(Call&);
Value call_fstat(Call&);
Value call_newfstatat(Call&);
Value call_statx(Call&);
Value call_access(Call&);
Value call_faccessat(Call&);
Value call_faccessat2(Call&);
Value call_readlink(Call&);
Value call_readlinkat(Call&);
Value call_statfs(Call&);
Value call_fstatfs(Call&);
Value call_chmod(Call&);
Value call_fchmod(Call&);
Value call_fchmodat(Call&);
Value call_chown(Call&);
Value call_lchown(Call&);
Value call_fchown(Call&);
Value call_fchownat(Call&);
Value call_utimensat(Call&);
Value call_umask(Call&);
Value call_no_attribute(Call&);

// directory.cpp, names.cpp
Value call_getdents64(Call&);
Value call_getcwd(Call&);
Value call_chdir(Call&);
Value call_fchdir(Call&);
Value call_mkdir(Call&);
Value call_mkdirat(Call&);
Value call_rmdir(Call&);
Value call_unlink(Call&);
Value call_unlinkat(Call&);
Value call_rename(Call&);
Value call_renameat(Call&);
Value call_renameat2(Call&);
Value call_link(Call&);
Value call_linkat(Call&);
Value call_symlink(Call&);
Value call_symlinkat(Call&);

// terminal.cpp, pipe.cpp, poll.cpp
Value call_ioctl(Call&);
Value call_pipe(Call&);
Value call_pipe2(Call&);
Value call_poll(Call&);
Value call_ppoll(Call&);
Value call_select(Call&);
Value call_pselect6(Call&);

// signals.cpp, signal_frame.cpp
Value call_rt_sigaction(Call&);
Value call_rt_sigprocmask(Call&);
Value call_rt_sigpending(Call&);
Value call_rt_sigsuspend(Call&);
Value call_rt_sigreturn(Call&);
Value call_sigaltstack(Call&);
Value call_kill(Call&);
Value call_tkill(Call&);
Value call_tgkill(Call&);

// timers.cpp, waiting.cpp
Value call_alarm(Call&);
Value call_getitimer(Call&);
Value call_setitimer(Call&);
Value call_pause(Call&);

// time.cpp
Value call_clock_gettime(Call&);
Value call_clock_getres(Call&);
Value call_clock_nanosleep(Call&);
Value call_nanosleep(Call&);
Value call_gettimeofday(Call&);
Value call_time(Call&);
Value call_times(Call&);
Value call_getrusage(Call&);

// identity.cpp, limits.cpp
Value call_zero(Call&);
Value call_getpid(Call&);
Value call_getppid(Call&);
Value call_getresid(Call&);
Value call_getgroups(Call&);
Value call_set_one_id(Call&);
Value call_set_two_ids(Call&);
Value call_set_three_ids(Call&);
Value call_set_file_id(Call&);
Value call_setgroups(Call&);
Value call_uname(Call&);
Value call_prctl(Call&);
Value call_arch_prctl(Call&);
Value call_getcpu(Call&);
Value call_sysinfo(Call&);
Value call_getrlimit(Call&);
Value call_setrlimit(Call&);
Value call_prlimit64(Call&);
Value call_getrandom(Call&);
Value call_sched_yield(Call&);
Value call_sched_getaffinity(Call&);

// threads.cpp
Value call_set_tid_address(Call&);
Value call_futex(Call&);
Value call_clone(Call&);
Value call_new_process(Call&);
Value call_wait(Call&);
Value call_exit(Call&);

}  // namespace personality
