// The way from a system call number to its handler, and back to the program.
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
    {0, call_read},
    {1, call_write},
    {2, call_open},
    {3, call_close},
    {4, call_stat},
    {5, call_fstat},
    {6, call_lstat},
    {7, call_poll},
    {8, call_lseek},
    {9, call_mmap},
    {10, call_mprotect},
    {11, call_munmap},
    {12, call_brk},
    {13, call_rt_sigaction},
    {14, call_rt_sigprocmask},
    {15, call_rt_sigreturn},
    {16, call_ioctl},
    {17, call_pread64},
    {18, call_pwrite64},
    {19, call_readv},
    {20, call_writev},
    {21, call_access},
    {22, call_pipe},
    {23, call_select},
    {24, call_sched_yield},
    {25, call_mremap},
    {26, call_msync},
    {28, call_madvise},
    {32, call_dup},
    {33, call_dup2},
    {35, call_nanosleep},
    {39, call_getpid},
    {40, not_served},  // sendfile
    {56, call_new_process},
    {57, call_new_process},
    {58, call_new_process},
    {59, call_new_process},
    {60, call_exit},
    {61, call_wait},
    {62, call_kill},
    {63, call_uname},
    {72, call_fcntl},
    {73, call_zero},
    {74, call_fsync},
    {75, call_fsync},
    {76, call_truncate},
    {77, call_ftruncate},
    {79, call_getcwd},
    {80, call_chdir},
    {81, call_fchdir},
    {82, call_rename},
    {83, call_mkdir},
    {84, call_rmdir},
    {85, call_creat},
    {86, call_link},
    {87, call_unlink},
    {88, call_symlink},
    {89, call_readlink},
    {90, call_chmod},
    {91, call_fchmod},
    {92, call_chown},
    {93, call_fchown},
    {94, call_lchown},
    {95, call_umask},
    {96, call_gettimeofday},
    {97, call_getrlimit},
    {98, call_getrusage},
    {99, call_sysinfo},
    {100, call_times},
    {102, call_zero},
    {104, call_zero},  // getuid, getgid
    {105, call_zero},
    {106, call_zero},  // setuid, setgid
    {107, call_zero},
    {108, call_zero},  // geteuid, getegid
    {109, call_zero},  // setpgid
    {110, call_getppid},
    {111, call_getpid},
    {112, call_getpid},  // getpgrp, setsid
    {113, call_zero},
    {114, call_zero},  // setreuid, setregid
    {115, call_getgroups},
    {116, call_zero},
    {117, call_zero},
    {118, call_getresid},
    {119, call_zero},
    {120, call_getresid},
    {121, call_getpid},
    {122, call_zero},  // getpgid, setfsuid
    {123, call_zero},
    {124, call_getpid},  // setfsgid, getsid
    {127, call_rt_sigpending},
    {130, call_rt_sigsuspend},
    {131, call_sigaltstack},
    {137, call_statfs},
    {138, call_fstatfs},
    {149, call_zero},
    {150, call_zero},  // mlock, munlock
    {151, call_zero},
    {152, call_zero},  // mlockall, munlockall
    {157, call_prctl},
    {158, call_arch_prctl},
    {160, call_setrlimit},
    {162, call_sync},
    {186, call_getpid},  // gettid
    {188, call_no_attribute},
    {189, call_no_attribute},
    {190, call_no_attribute},
    {191, call_no_attribute},
    {192, call_no_attribute},
    {193, call_no_attribute},
    {194, call_no_attribute},
    {195, call_no_attribute},
    {196, call_no_attribute},
    {197, call_no_attribute},
    {198, call_no_attribute},
    {199, call_no_attribute},
    {200, call_tkill},
    {201, call_time},
    {202, call_futex},
    {203, call_zero},
    {204, call_sched_getaffinity},
    {217, call_getdents64},
    {218, call_set_tid_address},
    {221, call_zero},  // fadvise64
    {228, call_clock_gettime},
    {229, call_clock_getres},
    {230, call_clock_nanosleep},
    {231, call_exit},
    {234, call_tgkill},
    {247, call_wait},
    {257, call_openat},
    {258, call_mkdirat},
    {260, call_fchownat},
    {262, call_newfstatat},
    {263, call_unlinkat},
    {264, call_renameat},
    {265, call_linkat},
    {266, call_symlinkat},
    {267, call_readlinkat},
    {268, call_fchmodat},
    {269, call_faccessat},
    {270, call_pselect6},
    {271, call_ppoll},
    {273, call_zero},  // set_robust_list: there is no other thread to die
    {280, call_utimensat},
    {285, call_fallocate},
    {292, call_dup3},
    {293, call_pipe2},
    {295, call_preadv},
    {296, call_pwritev},
    {302, call_prlimit64},
    {306, call_sync},
    {309, call_getcpu},
    {316, call_renameat2},
    {318, call_getrandom},
    {324, not_permitted},  // membarrier
    {326, other_device},   // copy_file_range
    {327, call_preadv2},
    {328, call_pwritev2},
    {332, call_statx},
    {334, not_served},        // rseq: libc does without
    {435, call_new_process},  // clone3
    {436, call_close_range},
    {437, not_served},
    {439, call_faccessat2},  // openat2
    {452, call_fchmodat},
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

}  // namespace

// entry.asm: the registers as at the SYSCALL; they are loaded when this returns.
extern "C" void serve_call(reprise_frame* frame) {
  Call call{
      *frame, frame->rax, {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9}};
  const Handler handler = call.number < table_size ? table[call.number] : nullptr;
  const Value result = handler != nullptr ? handler(call) : unknown_call(call);
  frame->rax = static_cast<std::uint64_t>(result);
  deliver_pending_signals(*frame);
}

}  // namespace personality
