// Prepares the process before the program's first instruction: memory, handlers, first descriptors.
#include "user/linux/descriptors.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/log.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/native.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"
#include "user/loader/load.hpp"

extern "C" {
extern const char syscall_entry[], exception_entry[];
extern char call_stack[], exception_stack[];
extern reprise_frame exception_frame;
}

namespace personality {

namespace {

constinit Process the_process{};

constexpr std::uint64_t auxiliary_end = 0, auxiliary_execfn = 31;

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

// The System V stack: argc, argv..., 0, envp..., 0, auxv pairs. It needs no checks, because the
// loader built it.
void read_stack(const std::uint64_t* stack) {
  const auto* arguments = reinterpret_cast<const char* const*>(stack + 1);
  the_process.executable = stack[0] > 0 ? arguments[0] : "program";
  const auto* variable = arguments + stack[0] + 1;
  for (; *variable != nullptr; ++variable) {
    if (std::string_view(*variable) == "REPRISE_TTY=1") the_process.terminal = true;
  }
  const auto* pair = reinterpret_cast<const std::uint64_t*>(variable + 1);
  for (; pair[0] != auxiliary_end; pair += 2) {
    if (pair[0] == auxiliary_execfn && pair[1] != 0) {
      the_process.executable = reinterpret_cast<const char*>(pair[1]);
    }
  }
}

// Keeps the absolute path for /proc/self/exe. The bare name of a boot module stands for a file in
// the root. The path is copied, because the program may overwrite its stack, which holds the
// original.
void keep_executable(std::string_view path) {
  static constinit char text[256] = {'/'};
  const std::size_t start = path.starts_with('/') ? 0 : 1;
  if (path.size() > sizeof text - 2) path = path.substr(0, sizeof text - 2);
  memcpy(text + start, path.data(), path.size());
  the_process.executable = text;
}

void set_process_name() {
  std::string_view path = the_process.executable;
  if (path.rfind('/') != path.npos) path = path.substr(path.rfind('/') + 1);
  const std::size_t length = path.size() < 15 ? path.size() : 15;
  for (std::size_t i = 0; i < length; ++i) the_process.name[i] = path[i];
}

// Puts guard pages below both stacks, then sets the two handlers. From then on each SYSCALL of the
// program comes here.
void take_over() {
  native::protect(address_of(call_stack), page_bytes, 0);
  native::protect(address_of(exception_stack), page_bytes, 0);
  const auto exception =
      reprise_system_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION,
                          address_of(exception_entry), address_of(&exception_frame));
  const auto syscall = reprise_system_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_SYSCALL,
                                           address_of(syscall_entry), 0);
  if (exception < 0 || syscall < 0) {
    Line() << "the kernel refuses the personality's handlers";
    native::exit(127);
  }
}

}  // namespace

Process& process() { return the_process; }

// entry.asm: fills the frame that the program starts with.
extern "C" void prepare_program(reprise_start* start, reprise_frame* frame) {
  if (start->abi_version != REPRISE_ABI_VERSION) {
    Line() << "started with ABI version " << start->abi_version << ", needs "
           << std::uint64_t{REPRISE_ABI_VERSION};
    native::exit(127);
  }
  *frame = reprise_frame{};
  frame->rflags = 0x202;
  // Tests on a host pass a program that is already loaded.
  if (start->program_entry == 0) {
    const loader::Program program = loader::load(*start);
    if (program.kind == loader::Kind::Native) {
      frame->rdi = address_of(start);
      frame->rsp = start->stack_pointer;
      frame->rip = program.entry;
      return;
    }
  }
  the_process.start = *start;
  the_process.file_mode_mask = 022;
  read_stack(reinterpret_cast<const std::uint64_t*>(start->stack_pointer));
  keep_executable(the_process.executable);
  set_process_name();
  initialise_memory();
  initialise_descriptors();
  take_over();
  frame->rsp = start->stack_pointer;
  frame->rip = start->program_entry;
}

}  // namespace personality
