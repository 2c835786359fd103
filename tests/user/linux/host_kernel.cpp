// Plays the kernel for the Linux personality on a Linux host. So programs and personality can be
// tested without the machine. It maps a program, the personality and an archive into a child, at
// the addresses of kernel/base/memory_map.hpp, and follows the child by ptrace. A SYSCALL from the
// personality's image is a native call and is served here. Any other SYSCALL is redirected to the
// entry that the personality registered. Native calls are checked as the real kernel checks them.
//
//   host_kernel PERSONALITY ARCHIVE|- [NAME=VALUE...] -- PROGRAM [ARGUMENT...]
//
// In the environment: HOST_KERNEL_MEMORY=MIB, so much memory the machine has; HOST_KERNEL_COUNTS=1.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "host_image.hpp"
#include "kernel/abi/reprise.h"
#include "user/drivers/services.hpp"

namespace {

constexpr std::uint64_t position_independent_base = 0x0000555500000000;
constexpr std::uint64_t map_low = 0x0000100000000000, map_high = 0x00007c0000000000;
constexpr std::uint64_t program_file_base = 0x00007c8000000000;
constexpr std::uint64_t archive_base = 0x00007d0000000000;
// The host's own stack lies where the kernel puts the program's.
constexpr std::uint64_t stack_high = 0x00007ff000000000, stack_bytes = 8 << 20;
constexpr std::uint64_t user_high = 0x00007fffffffe000;
constexpr int harness_failed = 125;

struct Start {
  std::uint64_t entry, stack, start_address;
  HostImage personality;
};

// While the child has asked for an interrupt, a tick of this program's stops the child often
// enough.
pid_t ticking = 0;

void tick(int) { kill(ticking, SIGALRM); }

void set_ticks(pid_t child, bool on) {
  constexpr timeval millisecond{0, 1000};
  struct sigaction action {};
  action.sa_handler = tick;
  action.sa_flags = SA_RESTART;
  ticking = child;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval timer = on ? itimerval{millisecond, millisecond} : itimerval{};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

class HostKernel {
public:
  HostKernel(pid_t child, const Start& start) : child_(child), start_(start) {
    if (const char* mebibytes = std::getenv("HOST_KERNEL_MEMORY")) {
      memory_ = std::strtoull(mebibytes, nullptr, 10) << 20;
    }
  }

  int run() {
    user_regs_struct registers = get();
    registers.rip = start_.entry;
    registers.rsp = start_.stack;
    registers.rdi = start_.start_address;
    registers.orig_rax = ~0ull;
    set(registers);
    for (;;) {
      ptrace(PTRACE_SYSEMU, child_, nullptr, nullptr);
      const int status = wait();
      if (WIFEXITED(status) || WIFSIGNALED(status)) return fail("the child ended by itself");
      const int signal = WSTOPSIG(status);
      if (signal == (SIGTRAP | 0x80)) {
        if (system_call()) return exit_status_;
      } else if (signal == SIGALRM) {
        interrupt_when_due();
      } else if (!exception(signal)) {
        return exit_status_;
      }
    }
  }

  [[nodiscard]] long native_calls() const { return native_calls_; }
  [[nodiscard]] long linux_calls() const { return linux_calls_; }

private:
  int wait() {
    int status = 0;
    while (waitpid(child_, &status, __WALL) < 0 && errno == EINTR) {
    }
    return status;
  }
  user_regs_struct get() {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, child_, nullptr, &registers);
    return registers;
  }
  void set(user_regs_struct& registers) {
    registers.orig_rax = ~0ull;
    ptrace(PTRACE_SETREGS, child_, nullptr, &registers);
  }
  int fail(const char* message) {
    std::fprintf(stderr, "host_kernel: %s\n", message);
    exit_status_ = harness_failed;
    return harness_failed;
  }

  bool in_personality(std::uint64_t address) const {
    return address >= start_.personality.low && address < start_.personality.high;
  }

  // True: the process has ended.
  bool system_call() {
    user_regs_struct registers = get();
    if (in_personality(registers.rip - 2)) {
      ++native_calls_;
      return native_call(registers);
    }
    if (system_call_entry_ == 0) return (fail("a Linux call before the handler was set"), true);
    ++linux_calls_;
    registers.rax = registers.orig_rax;
    registers.rcx = registers.rip;
    registers.r11 = registers.eflags;
    registers.rip = system_call_entry_;
    set(registers);
    return false;
  }

  // As the kernel does between two PEs.
  void interrupt_when_due() {
    user_regs_struct registers = get();
    const bool due = static_cast<std::uint64_t>(time(CLOCK_MONOTONIC)) >= interrupt_at_;
    if (!due || handler_entry_ == 0 || in_personality(registers.rip)) return;
    interrupt(never);
    enter_handler(registers, REPRISE_INTERRUPT_VECTOR, siginfo_t{}, 0);
  }
  std::int64_t interrupt(std::uint64_t at) {
    interrupt_at_ = at;
    set_ticks(child_, at != never);
    return 0;
  }

  bool exception(int signal) {
    siginfo_t info{};
    ptrace(PTRACE_GETSIGINFO, child_, nullptr, &info);
    user_regs_struct r = get();
    if (handler_entry_ == 0) {
      std::fprintf(stderr, "host_kernel: signal %d at rip %llx, address %p, and no handler\n",
                   signal, r.rip, info.si_addr);
      exit_status_ = harness_failed;
      return false;
    }
    return enter_handler(r, 0, info, signal);
  }

  // An exception of this vector, or the one that a signal stands for.
  bool enter_handler(user_regs_struct& r, std::uint64_t vector, const siginfo_t& info, int signal) {
    reprise_frame frame{r.rax, r.rbx, r.rcx, r.rdx,    r.rsi,  r.rdi, r.rbp,
                        r.rsp, r.r8,  r.r9,  r.r10,    r.r11,  r.r12, r.r13,
                        r.r14, r.r15, r.rip, r.eflags, vector, 0,     0};
    if (vector == 0) describe(signal, info, frame);
    if (!write(handler_frame_, &frame, sizeof frame)) return (fail("bad exception frame"), false);
    r.rip = handler_entry_;
    r.rdi = handler_frame_;
    handler_entry_ = 0;
    set(r);
    return true;
  }

  static void describe(int signal, const siginfo_t& info, reprise_frame& frame) {
    switch (signal) {
      case SIGSEGV:
      case SIGBUS:
        frame.vector = info.si_code == SI_KERNEL ? 13 : 14;
        frame.error_code = info.si_code == SEGV_ACCERR ? 5 : 4;
        frame.fault_address = reinterpret_cast<std::uint64_t>(info.si_addr);
        break;
      case SIGFPE: frame.vector = info.si_code == FPE_INTDIV ? 0 : 19; break;
      case SIGILL: frame.vector = 6; break;
      case SIGTRAP: frame.vector = info.si_code == SI_KERNEL ? 3 : 1; break;
      default: frame.vector = 13; break;
    }
  }

  bool read(std::uint64_t address, void* to, std::size_t bytes) {
    iovec local{to, bytes}, remote{reinterpret_cast<void*>(address), bytes};
    return process_vm_readv(child_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
  }
  bool write(std::uint64_t address, const void* from, std::size_t bytes) {
    iovec local{const_cast<void*>(from), bytes}, remote{reinterpret_cast<void*>(address), bytes};
    return process_vm_writev(child_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
  }

  // Makes a host system call in the child, with the SYSCALL instruction before its RIP.
  long in_child(const user_regs_struct& at, long number, std::uint64_t a, std::uint64_t b,
                std::uint64_t c, std::uint64_t d, std::uint64_t e, std::uint64_t f) {
    user_regs_struct registers = at;
    registers.rip -= 2;
    registers.rax = static_cast<std::uint64_t>(number);
    registers.rdi = a, registers.rsi = b, registers.rdx = c;
    registers.r10 = d, registers.r8 = e, registers.r9 = f;
    set(registers);
    for (bool entered = false;;) {
      ptrace(PTRACE_SYSCALL, child_, nullptr, nullptr);
      wait();
      __ptrace_syscall_info info{};
      ptrace(PTRACE_GET_SYSCALL_INFO, child_, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) entered = true;
      if (info.op == PTRACE_SYSCALL_INFO_EXIT && entered) return info.exit.rval;
    }
  }

  static bool sound_range(std::uint64_t address, std::uint64_t bytes) {
    return address % 4096 == 0 && bytes % 4096 == 0 && bytes != 0 && address >= 4096 &&
           bytes < user_high && address <= user_high - bytes;
  }
  static bool sound_protection(std::uint64_t protection) {
    return protection < 8 && (protection & 6) != 6;
  }
  static int host_protection(std::uint64_t protection) {
    return (protection & 1 ? PROT_READ : 0) | (protection & 2 ? PROT_WRITE : 0) |
           (protection & 4 ? PROT_EXEC : 0);
  }
  static std::int64_t to_native(long result) {
    if (result >= 0) return 0;
    if (result == -EEXIST) return -REPRISE_OCCUPIED;
    return result == -ENOMEM ? -REPRISE_NO_MEMORY : -REPRISE_BAD_ADDRESS;
  }

  std::int64_t map(const user_regs_struct& r) {
    if (!sound_range(r.rdi, r.rsi)) return -REPRISE_BAD_ADDRESS;
    if (!sound_protection(r.rdx) || r.r10 > 3) return -REPRISE_BAD_ARGUMENT;
    const bool promises = (r.rdx & 2) != 0 && (r.r10 & REPRISE_MAP_SPARSE) == 0;
    if (r.rsi > memory_limit || (promises && r.rsi > available())) return -REPRISE_NO_MEMORY;
    if (promises) promised_ += r.rsi;
    const int fixed = r.r10 & REPRISE_MAP_REPLACE ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return to_native(
        in_child(r, SYS_mmap, r.rdi, r.rsi, static_cast<std::uint64_t>(host_protection(r.rdx)),
                 static_cast<std::uint64_t>(MAP_PRIVATE | MAP_ANONYMOUS | fixed), ~0ull, 0));
  }
  // Roughly: what is mapped to be written to counts as used, and again as free when it is unmapped.
  std::uint64_t available() const { return promised_ < memory_ ? memory_ - promised_ : 0; }
  std::int64_t unmap(const user_regs_struct& r) {
    if (!sound_range(r.rdi, r.rsi)) return -REPRISE_BAD_ADDRESS;
    promised_ -= std::min<std::uint64_t>(promised_, r.rsi);
    return to_native(in_child(r, SYS_munmap, r.rdi, r.rsi, 0, 0, 0, 0));
  }
  std::int64_t protect(const user_regs_struct& r) {
    if (!sound_range(r.rdi, r.rsi)) return -REPRISE_BAD_ADDRESS;
    if (!sound_protection(r.rdx)) return -REPRISE_BAD_ARGUMENT;
    const long result = in_child(r, SYS_mprotect, r.rdi, r.rsi,
                                 static_cast<std::uint64_t>(host_protection(r.rdx)), 0, 0, 0);
    return result == 0 ? 0 : -REPRISE_BAD_ADDRESS;
  }
  std::int64_t log(const user_regs_struct& r) {
    static char text[REPRISE_LOG_BYTES];
    const std::size_t bytes = std::min<std::size_t>(r.rsi, sizeof text);
    if (!read(r.rdi, text, bytes)) return -REPRISE_BAD_ADDRESS;
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t part = ::write(1, text + done, bytes - done);
      if (part <= 0) break;
      done += static_cast<std::size_t>(part);
    }
    return static_cast<std::int64_t>(bytes);
  }
  // Plays init and the two drivers, and answers at once. RSI, RDX and R10 hold the words, R8 the
  // buffer, R9 its bytes and room.
  std::int64_t find(user_regs_struct& r) {
    char name[REPRISE_NAME_BYTES + 1]{};
    const std::uint64_t bytes = r.r9 & 0xffffffff;
    if (bytes >= sizeof name || !read(r.r8, name, bytes)) return -REPRISE_BAD_ADDRESS;
    r.rsi = name == service::terminal_name ? terminal_number
            : name == service::clock_name  ? clock_number
                                           : 0;
    return 0;
  }
  std::int64_t call(user_regs_struct& r) {
    if (r.rdi == REPRISE_INIT && r.rsi == REPRISE_FIND) return find(r);
    if (r.rdi == terminal_number && r.rsi == service::terminal_read) return terminal_read(r);
    if (r.rdi != clock_number || r.rsi != service::clock_wall) return -REPRISE_GONE;
    r.rsi = service::Ok;
    r.rdx = static_cast<std::uint64_t>(time(CLOCK_REALTIME) - time(CLOCK_MONOTONIC));
    return 0;
  }
  std::int64_t terminal_read(user_regs_struct& r) {
    static char text[65536];
    pollfd entry{0, POLLIN, 0};
    const bool waits = (r.r10 & service::terminal_read_now) == 0;
    const std::uint64_t room = std::min(r.rdx, r.r9 >> 32);
    r.rsi = service::Ok;
    if (!waits && ::poll(&entry, 1, 0) == 0) {
      r.rsi = service::WouldBlock;
      return 0;
    }
    const ssize_t got = ::read(0, text, std::min(room, sizeof text));
    if (got <= 0) return 0;
    return write(r.r8, text, static_cast<std::size_t>(got)) ? got : -REPRISE_BAD_ADDRESS;
  }
  static std::int64_t time(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000'000l + now.tv_nsec;
  }
  static std::int64_t sleep(std::uint64_t until) {
    const timespec end{static_cast<time_t>(until / 1'000'000'000),
                       static_cast<long>(until % 1'000'000'000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {
    }
    return 0;
  }
  std::int64_t usage(const user_regs_struct& r) const {
    clockid_t clock{};
    clock_getcpuclockid(child_, &clock);
    switch (r.rdi) {
      case REPRISE_USAGE_MEMORY: return static_cast<std::int64_t>(memory_);
      case REPRISE_USAGE_AVAILABLE: return static_cast<std::int64_t>(available());
      case REPRISE_USAGE_TIME: return time(clock);
      default: return -REPRISE_BAD_ARGUMENT;
    }
  }
  std::int64_t set_base(user_regs_struct& r) {
    if (r.rsi >= user_high) return -REPRISE_BAD_ADDRESS;
    (r.rdi == REPRISE_BASE_FS ? r.fs_base : r.gs_base) = r.rsi;
    return 0;
  }
  std::int64_t set_handler(const user_regs_struct& r) {
    if (r.rdi == REPRISE_HANDLER_SYSCALL) {
      system_call_entry_ = r.rsi;
      return 0;
    }
    if (r.rdi != REPRISE_HANDLER_EXCEPTION) return -REPRISE_BAD_ARGUMENT;
    handler_entry_ = r.rsi;
    handler_frame_ = r.rdx;
    return 0;
  }

  bool native_call(user_regs_struct& r) {
    std::int64_t result = 0;
    switch (r.orig_rax) {
      case REPRISE_EXIT: exit_status_ = static_cast<int>(r.rdi); return true;
      case REPRISE_LOG: result = log(r); break;
      case REPRISE_MAP: result = map(r); break;
      case REPRISE_UNMAP: result = unmap(r); break;
      case REPRISE_PROTECT: result = protect(r); break;
      case REPRISE_SET_BASE: result = set_base(r); break;
      case REPRISE_TIME: result = time(CLOCK_MONOTONIC); break;
      case REPRISE_SLEEP: result = sleep(r.rdi); break;
      case REPRISE_YIELD: break;
      case REPRISE_USAGE: result = usage(r); break;
      case REPRISE_INTERRUPT: result = interrupt(r.rdi); break;
      case REPRISE_CALL: result = call(r); break;
      case REPRISE_ENTROPY: result = random(); break;
      case REPRISE_SET_HANDLER: result = set_handler(r); break;
      case REPRISE_SELF: result = 1; break;
      default: result = -REPRISE_NO_SUCH_CALL; break;
    }
    r.rax = static_cast<std::uint64_t>(result);
    r.rcx = r.r11 = 0xdead;  // the ABI does not keep them
    set(r);
    return false;
  }

  static constexpr std::uint64_t memory_limit = 1ull << 30, never = ~0ull;
  static constexpr std::uint64_t terminal_number = 2, clock_number = 3;
  pid_t child_;
  Start start_;
  std::uint64_t system_call_entry_ = 0, handler_entry_ = 0, handler_frame_ = 0;
  std::uint64_t interrupt_at_ = never;
  std::uint64_t memory_ = memory_limit, promised_ = 0;  // bytes
  int exit_status_ = 0;
  long native_calls_ = 0, linux_calls_ = 0;
};

// Runs in the child and maps everything. The parent reads `start` from memory that both share.
void prepare(char** arguments, int count, Start& start) {
  const std::string personality_path = arguments[0], archive_path = arguments[1];
  std::vector<std::string> environment, program;
  int i = 2;
  for (; i < count && std::strcmp(arguments[i], "--") != 0; ++i)
    environment.push_back(arguments[i]);
  for (++i; i < count; ++i) program.push_back(arguments[i]);
  start.personality = map_image(personality_path, 0);
  const HostImage image = map_image(program.at(0), position_independent_base);
  std::vector<char> archive;
  if (archive_path != "-") archive = read_whole_file(archive_path);
  if (!archive.empty()) map_fixed(archive_base, archive);
  const std::vector<char> file = read_whole_file(program.at(0));
  map_fixed(program_file_base, file);
  start.stack = build_stack(stack_high, stack_bytes, image, program, environment);
  static reprise_start given;  // the program is already loaded, so user/loader has nothing to do
  given.abi_version = REPRISE_ABI_VERSION;
  given.process = 1;
  given.archive_address = archive.empty() ? 0 : archive_base;
  given.archive_bytes = archive.size();
  given.file_address = program_file_base;
  given.file_bytes = file.size();
  given.program_entry = image.entry;
  given.program_break = image.high;
  given.stack_low = stack_high - stack_bytes;
  given.stack_high = stack_high;
  given.map_low = map_low;
  given.map_high = map_high;
  given.stack_pointer = start.stack;
  start.entry = start.personality.entry;
  start.start_address = reinterpret_cast<std::uint64_t>(&given);
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  raise(SIGSTOP);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr,
                 "usage: host_kernel PERSONALITY ARCHIVE|- [NAME=VALUE...] -- PROGRAM...\n");
    return harness_failed;
  }
  const int old = personality(0xffffffff);
  if ((old & ADDR_NO_RANDOMIZE) == 0) {  // keeps the host's own mappings out of the way
    personality(static_cast<unsigned long>(old | ADDR_NO_RANDOMIZE));
    execv("/proc/self/exe", arguments);
  }
  auto* start = static_cast<Start*>(
      mmap(nullptr, sizeof(Start), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t child = fork();
  if (child == 0) {
    prepare(arguments + 1, count - 1, *start);
    _exit(harness_failed);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return harness_failed;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  HostKernel kernel(child, *start);
  const int result = kernel.run();
  if (std::getenv("HOST_KERNEL_COUNTS") != nullptr) {
    std::fprintf(stderr, "linux calls %ld, native calls %ld\n", kernel.linux_calls(),
                 kernel.native_calls());
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return result;
}
