// Finds the handler of a system call by its number, and returns to the program.
#include "user/linux/calls.hpp"

#include <array>

#include "user/linux/call_names.hpp"
#include "user/linux/log.hpp"
#include "user/linux/signals.hpp"

namespace personality {

namespace {

Value not_served(Call&) { return fail(Errno::NoSystemCall); }   // callers fall back, no log
Value other_device(Call&) { return fail(Errno::CrossDevice); }  // callers copy by read and write
Value not_permitted(Call&) { return fail(Errno::NotPermitted); }

struct Numbered {
  unsigned number;
  Handler handler;
};

constexpr Numbered numbered[] = {
    {.number = 0, .handler = call_read},
    {.number = 1, .handler = call_write},
    {.number = 2, .handler = call_open},
    {.number = 3, .handler = call_close},
    {.number = 4, .handler = call_stat},
    {.number = 5, .handler = call_fstat},
    {.number = 6, .handler = call_lstat},
    {.number = 7, .handler = call_poll},
    {.number = 8, .handler = call_lseek},
    {.number = 9, .handler = call_mmap},
    {.number = 10, .handler = call_mprotect},
    {.number = 11, .handler = call_munmap},
    {.number = 12, .handler = call_brk},
    {.number = 13, .handler = call_rt_sigaction},
    {.number = 14, .handler = call_rt_sigprocmask},
    {.number = 15, .handler = call_rt_sigreturn},
    {.number = 16, .handler = call_ioctl},
    {.number = 17, .handler = call_pread64},
    {.number = 18, .handler = call_pwrite64},
    {.number = 19, .handler = call_readv},
    {.number = 20, .handler = call_writev},
    {.number = 21, .handler = call_access},
    {.number = 22, .handler = call_pipe},
    {.number = 23, .handler = call_select},
    {.number = 24, .handler = call_sched_yield},
    {.number = 25, .handler = call_mremap},
    {.number = 26, .handler = call_msync},
    {.number = 28, .handler = call_madvise},
    {.number = 32, .handler = call_dup},
    {.number = 33, .handler = call_dup2},
    {.number = 34, .handler = call_pause},
    {.number = 35, .handler = call_nanosleep},
    {.number = 36, .handler = call_getitimer},
    {.number = 37, .handler = call_alarm},
    {.number = 38, .handler = call_setitimer},
    {.number = 39, .handler = call_getpid},
    {.number = 40, .handler = not_served},  // sendfile
    {.number = 56, .handler = call_clone},
    {.number = 57, .handler = call_new_process},
    {.number = 58, .handler = call_new_process},
    {.number = 59, .handler = call_new_process},
    {.number = 60, .handler = call_exit},
    {.number = 61, .handler = call_wait},
    {.number = 62, .handler = call_kill},
    {.number = 63, .handler = call_uname},
    {.number = 72, .handler = call_fcntl},
    {.number = 73, .handler = call_flock},
    {.number = 74, .handler = call_fsync},
    {.number = 75, .handler = call_fsync},
    {.number = 76, .handler = call_truncate},
    {.number = 77, .handler = call_ftruncate},
    {.number = 79, .handler = call_getcwd},
    {.number = 80, .handler = call_chdir},
    {.number = 81, .handler = call_fchdir},
    {.number = 82, .handler = call_rename},
    {.number = 83, .handler = call_mkdir},
    {.number = 84, .handler = call_rmdir},
    {.number = 85, .handler = call_creat},
    {.number = 86, .handler = call_link},
    {.number = 87, .handler = call_unlink},
    {.number = 88, .handler = call_symlink},
    {.number = 89, .handler = call_readlink},
    {.number = 90, .handler = call_chmod},
    {.number = 91, .handler = call_fchmod},
    {.number = 92, .handler = call_chown},
    {.number = 93, .handler = call_fchown},
    {.number = 94, .handler = call_lchown},
    {.number = 95, .handler = call_umask},
    {.number = 96, .handler = call_gettimeofday},
    {.number = 97, .handler = call_getrlimit},
    {.number = 98, .handler = call_getrusage},
    {.number = 99, .handler = call_sysinfo},
    {.number = 100, .handler = call_times},
    {.number = 102, .handler = call_zero},
    {.number = 104, .handler = call_zero},
    {.number = 105, .handler = call_set_one_id},
    {.number = 106, .handler = call_set_one_id},
    {.number = 107, .handler = call_zero},
    {.number = 108, .handler = call_zero},
    {.number = 109, .handler = call_zero},
    {.number = 110, .handler = call_getppid},
    {.number = 111, .handler = call_getpid},
    {.number = 112, .handler = call_getpid},
    {.number = 113, .handler = call_set_two_ids},
    {.number = 114, .handler = call_set_two_ids},
    {.number = 115, .handler = call_getgroups},
    {.number = 116, .handler = call_setgroups},
    {.number = 117, .handler = call_set_three_ids},
    {.number = 118, .handler = call_getresid},
    {.number = 119, .handler = call_set_three_ids},
    {.number = 120, .handler = call_getresid},
    {.number = 121, .handler = call_getpid},
    {.number = 122, .handler = call_set_file_id},
    {.number = 123, .handler = call_set_file_id},
    {.number = 124, .handler = call_getpid},
    {.number = 127, .handler = call_rt_sigpending},
    {.number = 130, .handler = call_rt_sigsuspend},
    {.number = 131, .handler = call_sigaltstack},
    {.number = 137, .handler = call_statfs},
    {.number = 138, .handler = call_fstatfs},
    {.number = 149, .handler = call_zero},
    {.number = 150, .handler = call_zero},
    {.number = 151, .handler = call_zero},
    {.number = 152, .handler = call_zero},
    {.number = 157, .handler = call_prctl},
    {.number = 158, .handler = call_arch_prctl},
    {.number = 160, .handler = call_setrlimit},
    {.number = 162, .handler = call_sync},
    {.number = 186, .handler = call_getpid},  // gettid
    {.number = 188, .handler = call_no_attribute},
    {.number = 189, .handler = call_no_attribute},
    {.number = 190, .handler = call_no_attribute},
    {.number = 191, .handler = call_no_attribute},
    {.number = 192, .handler = call_no_attribute},
    {.number = 193, .handler = call_no_attribute},
    {.number = 194, .handler = call_no_attribute},
    {.number = 195, .handler = call_no_attribute},
    {.number = 196, .handler = call_no_attribute},
    {.number = 197, .handler = call_no_attribute},
    {.number = 198, .handler = call_no_attribute},
    {.number = 199, .handler = call_no_attribute},
    {.number = 200, .handler = call_tkill},
    {.number = 201, .handler = call_time},
    {.number = 202, .handler = call_futex},
    {.number = 203, .handler = call_zero},
    {.number = 204, .handler = call_sched_getaffinity},
    {.number = 217, .handler = call_getdents64},
    {.number = 218, .handler = call_set_tid_address},
    {.number = 221, .handler = call_zero},  // fadvise64
    {.number = 228, .handler = call_clock_gettime},
    {.number = 229, .handler = call_clock_getres},
    {.number = 230, .handler = call_clock_nanosleep},
    {.number = 231, .handler = call_exit},
    {.number = 234, .handler = call_tgkill},
    {.number = 247, .handler = call_wait},
    {.number = 257, .handler = call_openat},
    {.number = 258, .handler = call_mkdirat},
    {.number = 260, .handler = call_fchownat},
    {.number = 262, .handler = call_newfstatat},
    {.number = 263, .handler = call_unlinkat},
    {.number = 264, .handler = call_renameat},
    {.number = 265, .handler = call_linkat},
    {.number = 266, .handler = call_symlinkat},
    {.number = 267, .handler = call_readlinkat},
    {.number = 268, .handler = call_fchmodat},
    {.number = 269, .handler = call_faccessat},
    {.number = 270, .handler = call_pselect6},
    {.number = 271, .handler = call_ppoll},
    {.number = 273, .handler = call_zero},  // set_robust_list: there is no other thread to die
    {.number = 280, .handler = call_utimensat},
    {.number = 285, .handler = call_fallocate},
    {.number = 292, .handler = call_dup3},
    {.number = 293, .handler = call_pipe2},
    {.number = 295, .handler = call_preadv},
    {.number = 296, .handler = call_pwritev},
    {.number = 302, .handler = call_prlimit64},
    {.number = 306, .handler = call_sync},
    {.number = 309, .handler = call_getcpu},
    {.number = 316, .handler = call_renameat2},
    {.number = 318, .handler = call_getrandom},
    {.number = 324, .handler = not_permitted},  // membarrier
    {.number = 326, .handler = other_device},   // copy_file_range
    {.number = 327, .handler = call_preadv2},
    {.number = 328, .handler = call_pwritev2},
    {.number = 332, .handler = call_statx},
    {.number = 334, .handler = not_served},  // rseq: libc does without
    {.number = 435, .handler = call_clone},  // clone3
    {.number = 436, .handler = call_close_range},
    {.number = 437, .handler = not_served},  // openat2
    {.number = 439, .handler = call_faccessat2},
    {.number = 452, .handler = call_fchmodat},
};

constexpr std::size_t table_size = 512;

constexpr std::array<Handler, table_size> table = [] {
  std::array<Handler, table_size> handlers{};
  for (const Numbered& entry : numbered) handlers[entry.number] = entry.handler;
  return handlers;
}();

constinit std::uint64_t reported[table_size / 64] = {};

Value unknown_call(const Call& call) {
  const std::uint64_t index = call.number < table_size ? call.number : table_size - 1;
  std::uint64_t& word = reported[index / 64];
  const std::uint64_t bit = 1ull << index % 64;
  if ((word & bit) == 0) {
    word |= bit;
    Line() << "system call " << call.number << " (" << call_name(call.number)
           << ") is not served: ENOSYS";
  }
  return fail(Errno::NoSystemCall);
}

// Where the program stands when the signal's handler is over.
void interrupt_call(const Call& call) {
  constexpr std::uint64_t syscall_bytes = 2;
  if (next_handler_restarts()) {
    call.registers.rip -= syscall_bytes;
    call.registers.rax = call.number;
  } else {
    call.registers.rax = static_cast<std::uint64_t>(fail(Errno::Interrupted));
  }
}

}  // namespace

// Called by entry.asm with the registers at the SYSCALL. It loads them again when this returns.
extern "C" void serve_call(reprise_frame* frame) {
  Call call{.registers = *frame,
            .number = frame->rax,
            .argument = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9}};
  const Handler handler = call.number < table_size ? table[call.number] : nullptr;
  const Value result = handler != nullptr ? handler(call) : unknown_call(call);
  frame->rax = static_cast<std::uint64_t>(result);
  if (result == fail(Errno::Restart)) interrupt_call(call);
  deliver_pending_signals(*frame);
}

}  // namespace personality
