// A kernel that is all test: it brings the machine up as kernel/main.cpp does, then looks at the
// border between the rings from inside, where programs alone could not. A line "ok NAME" or
// "FAIL NAME" for each case; machine_test.py boots it. The command line asks for a way to die:
// die=stack overflows the kernel's stack, die=fault reads memory that is not mapped.
#include <array>
#include <optional>
#include <string_view>

#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/descriptor_tables.hpp"
#include "arch/direct_map.hpp"
#include "arch/extended_state.hpp"
#include "arch/features.hpp"
#include "arch/interrupts.hpp"
#include "arch/kernel_tables.hpp"
#include "arch/page_table.hpp"
#include "arch/physical_memory.hpp"
#include "arch/power.hpp"
#include "arch/run_user.hpp"
#include "arch/serial.hpp"
#include "arch/stepping.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "arch/write_xor_execute.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/pmu.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"
#include "user/init/boot_info.hpp"

extern "C" {
extern const char user_page[], user_call[], user_undefined[], user_write[], user_spin[],
    user_vector[], user_flags[], user_time_stamp[], user_port[], user_breakpoint[],
    user_interrupt[], user_step[], user_selectors[], user_table[], user_halt[], user_steps[],
    user_steps_repeat[], user_steps_end[], user_self[], user_gs_base[];
// NOLINTNEXTLINE(readability-identifier-naming): the compiler calls it by this name.
[[noreturn]] void __cxa_pure_virtual() { REPRISE_PANIC("a pure virtual function was called"); }
}

void reprise::panic_at(const char*, int, const char* what) {
  arch::write_emergency("panicked: ");
  arch::write_emergency(what);
  arch::write_emergency("\n");
  arch::exit_machine(ExitCode::Panic);
}

namespace {

using namespace arch;
using namespace reprise;

constexpr std::uint64_t code_base = 0x400000, data_page = 0x700, stack_page = 0x500;
constexpr std::uint64_t stack_top = 0x501000;

// Counts up through the largest range of memory.
class Frames final : public FrameSource {
public:
  void use(std::span<const MemoryRange> memory) {
    for (const MemoryRange& range : memory) {
      if (range.size <= size_) continue;
      size_ = range.size;
      next_ = frame_containing(range.start);
    }
  }
  std::optional<FrameNumber> allocate() override {
    const FrameNumber frame = next_;
    next_ = next_ + 1;
    return frame;
  }
  void release(FrameNumber) override {}
  [[nodiscard]] std::uint64_t free_frames() const override { return size_ / page_size; }

private:
  std::uint64_t size_ = 0;
  FrameNumber next_{};
};

constinit Frames frames;
constinit UserState state;
constinit bool all_good = true;

void expect(std::string_view name, bool good) {
  write_emergency(good ? "ok " : "FAIL ");
  write_emergency(name);
  write_emergency("\n");
  all_good &= good;
}

std::uint64_t place(const char* label) {
  return code_base + static_cast<std::uint64_t>(label - user_page);
}

Trap run_from(const char* label) {
  initialize(state, place(label), stack_top);
  load_rest(state);
  return run_user(state);
}

bool is_exception(const Trap& trap, std::uint8_t vector) {
  return trap.kind == Trap::Kind::Exception && trap.vector == vector;
}

PageTable make_space() {
  auto table = PageTable::create(frames);
  const FrameNumber code = frames.allocate().value();
  const auto* const from = reinterpret_cast<const std::uint64_t*>(user_page);
  for (std::size_t i = 0; i < words_per_page; ++i) frame_words(code)[i] = from[i];
  bool mapped = table->map(page_of(UserAddr{code_base}), {code, {true, false, true}});
  mapped &= table->map(
      PageNumber{stack_page},
      {frames.allocate().value(), {true, true, false}, Ownership::Owned, WriteAccess::Enabled});
  mapped &= table->map(PageNumber{data_page}, {frames.allocate().value(), {true, true, false}});
  expect("pages mapped", mapped);
  return std::move(*table);
}

void try_system_call() {
  Trap trap = run_from(user_call);
  expect("system call", trap.kind == Trap::Kind::SystemCall && state[Register::Rax] == 1 &&
                            state[Register::R15] == 0x77 && state[Register::Rsp] == stack_top &&
                            state[Register::Rip] == place(user_undefined) &&
                            state[Register::Rflags] == 0x202);
  trap = run_user(state);
  expect("undefined instruction",
         is_exception(trap, 6) && state[Register::Rip] == place(user_undefined) &&
             state[Register::Rflags] == 0x202 && state[Register::Cs] == x86::user_code_selector &&
             state[Register::Ss] == x86::user_data_selector);
}

void try_first_write(PageTable& table) {
  const PageNumber page{data_page};
  const Trap trap = run_from(user_write);
  expect("first write faults", is_exception(trap, x86::page_fault_vector) && trap.error_code == 7 &&
                                   trap.fault_address == address_of(page).value());
  const Leaf leaf = *table.leaf(page);
  expect("and leaves the page clean", !leaf.dirty());
  leaf.replace(leaf.mapping().frame, WriteAccess::Enabled);
  PageTable::invalidate(page);
  Trap stop{};
  do {
    arm_timer(Nanoseconds{1'000'000});
    stop = run_user(state);
  } while (stop.kind == Trap::Kind::Timer && state[Register::Rip] == place(user_write));
  expect("timer ends a loop",
         stop.kind == Trap::Kind::Timer && state[Register::Rip] == place(user_spin));
  expect("written page is dirty", leaf.dirty());
}

void try_flags() {
  Trap trap = run_from(user_flags);
  expect("flags kept", is_exception(trap, 6) && (state[Register::Rflags] & 0x40400) == 0x40400);
  constexpr std::uint64_t unwanted =
      x86::Rflags::Tf | x86::Rflags::If | x86::Rflags::Df | x86::Rflags::Ac;
  std::uint64_t flags;
  asm volatile("pushfq\n\tpop %0" : "=r"(flags));
  expect("and not brought into the kernel", (flags & unwanted) == 0);
  trap = run_from(user_step);
  expect("a system call under single step comes back",
         trap.kind == Trap::Kind::SystemCall || is_exception(trap, x86::debug_vector));
}

// True when the very instruction at `label` faults.
bool faults_at(const char* label, std::uint8_t vector) {
  return is_exception(run_from(label), vector) && state[Register::Rip] == place(label);
}

void try_forbidden() {
  expect("time stamp ends the run", faults_at(user_time_stamp, 13));
  expect("port ends the run", faults_at(user_port, 13));
  expect("halt ends the run", faults_at(user_halt, 13));
  expect("breakpoint", is_exception(run_from(user_breakpoint), 3));
  expect("software interrupt is no way in", faults_at(user_interrupt, 13));
  if ((x86::read_cr4() & x86::Cr4::Umip) != 0) {
    expect("descriptor table is hidden", faults_at(user_table, 13));
  }
}

void try_impossible_rip() {
  initialize(state, 0x0000800000000000, stack_top);
  load_rest(state);
  const Trap trap = run_user(state);
  expect("RIP that is not canonical is the program's fault",
         trap.kind == Trap::Kind::Exception && state[Register::Rip] == 0x0000800000000000);
  expect("and the next program runs", run_from(user_call).kind == Trap::Kind::SystemCall);
}

void try_rest() {
  Trap trap = run_from(user_selectors);
  save_rest(state);
  expect("selectors", trap.kind == Trap::Kind::SystemCall && state[Register::Ds] == 0 &&
                          state[Register::Fs] == x86::user_data_selector &&
                          state[Register::Gs] == x86::user_data_selector);
  initialize(state, place(user_call), stack_top);
  UserState fresh = state;
  load_rest(state);
  trap = run_user(state);
  save_rest(state);
  bool same = trap.kind == Trap::Kind::SystemCall;
  for (std::size_t i = general_words; i < state.words().size(); ++i) {
    same &= state.words()[i] == fresh.words()[i];
  }
  expect("untouched extended state is saved as it was made", same);
  if (x86::board.extended_state.places[2].first == 0) return;
  trap = run_from(user_vector);
  save_rest(state);
  const auto xmm = state.words().subspan(general_words + x86::xmm_word);
  const auto upper =
      state.words().subspan(general_words + x86::board.extended_state.places[2].first);
  expect("vector registers", xmm[2 * 3 + 1] == ~0ull && upper[2 * 3] == ~0ull && upper[2 * 4] == 0);
}

// Whatever base the program loads, also one that looks like the kernel's, is its own.
void try_gs_base() {
  for (const std::uint64_t base :
       {std::uint64_t{0x1234}, std::uint64_t{0}, reinterpret_cast<std::uint64_t>(&x86::boot_cpu)}) {
    initialize(state, place(user_call), stack_top);
    state[Register::GsBase] = base;
    state[Register::Gs] = x86::user_data_selector;
    load_rest(state);
    Trap trap = run_user(state);
    save_rest(state);
    expect("GS base is kept", trap.kind == Trap::Kind::SystemCall &&
                                  state[Register::GsBase] == base &&
                                  state[Register::Gs] == x86::user_data_selector);
    if ((x86::read_cr4() & x86::Cr4::Fsgsbase) == 0) continue;
    initialize(state, place(user_gs_base), stack_top);
    load_rest(state);
    state[Register::Rax] = base;
    trap = run_user(state);
    expect("a base that the program loads", trap.kind == Trap::Kind::SystemCall);
    trap = run_user(state);
    save_rest(state);
    expect("and keeps over a call and an exception",
           is_exception(trap, 6) && state[Register::GsBase] == base);
  }
}

Trap step(Stepper& stepper, const UserState& target) {
  const auto* const code =
      reinterpret_cast<const std::uint8_t*>(user_page) + (state[Register::Rip] - code_base);
  stepper.begin(state, target, {code, longest_instruction});
  const Trap trap = run_user(state);
  stepper.end(state);
  return trap;
}

bool stepped(const Trap& trap) {
  return trap.kind == Trap::Kind::Step || trap.kind == Trap::Kind::Break;
}

void try_steps() {
  Stepper stepper;
  UserState target{};
  initialize(state, place(user_steps), stack_top);
  load_rest(state);
  std::size_t steps = 0;
  Trap trap;
  while (stepped(trap = step(stepper, target))) ++steps;
  expect("every instruction is one step, a repeated one, too", steps == 9);
  expect("and the system call ends them",
         trap.kind == Trap::Kind::SystemCall && state[Register::Rip] == place(user_steps_end));
  expect("no trace of the steps in what the program stores",
         state[Register::Rbx] == 0x202 && state[Register::R11] == state[Register::Rflags] &&
             (state[Register::Rflags] & (x86::Rflags::Tf | x86::Rflags::Rf)) == 0 &&
             state[Register::Rsp] == stack_top);
  expect("nor afterwards", is_exception(run_user(state), 6));

  target[Register::Rip] = place(user_steps_repeat);
  target[Register::Rcx] = 300;
  initialize(state, place(user_steps), stack_top);
  for (steps = 0; steps < 8; ++steps) trap = step(stepper, target);
  expect("a repetition stops at the iteration that is wanted",
         stepped(trap) && state[Register::Rip] == place(user_steps_repeat) &&
             state[Register::Rcx] == 300 && state[Register::Rdi] == 0x500000 + 700);
  expect("and goes on to its end", stepped(step(stepper, UserState{})) &&
                                       state[Register::Rcx] == 0 &&
                                       state[Register::Rdi] == 0x500000 + 1000);
}

void try_breakpoints() {
  Stepper stepper;
  stepper.watch(UserAddr{place(user_steps_repeat)});
  Trap trap = run_from(user_steps);
  expect("a breakpoint is met", trap.kind == Trap::Kind::Break &&
                                    state[Register::Rip] == place(user_steps_repeat) &&
                                    state[Register::Rcx] == 1000);
  stepper.watch(std::nullopt);
  expect("and gone", run_user(state).kind == Trap::Kind::SystemCall);
  stepper.watch(UserAddr{place(user_self)});
  trap = run_from(user_self);
  expect("each arrival at a breakpoint counts, standing there does not",
         trap.kind == Trap::Kind::Break && state[Register::Rip] == place(user_self));
  stepper.watch(std::nullopt);
}

// By the firmware's tables the I/O APIC of all QEMU's PCs is the one at FEC00000h.
void try_interrupt_controllers() {
  InterruptControllers controllers;
  const auto refused = [&](std::uint64_t address) {
    controllers.io_apics[1].address = static_cast<std::uint32_t>(address);
    return !start_admitting(controllers);
  };
  controllers.io_apics[0].address = 0xfec00000;
  expect("no I/O APIC lies in the kernel",
         refused(reinterpret_cast<std::uint64_t>(&state) - kernel_base));
  expect("nor in memory", refused(address_of(frames.allocate().value()).value()));
  expect("nor where another controller is",
         x86::in_x2apic_mode() || refused(x86::read_msr(x86::Msr::ApicBase) & x86::ApicBase::Base));
  controllers.io_apics[1].address = 0;
  const auto inputs = start_admitting(controllers);
  expect("I/O APICs are taken as they are named",
         inputs && (*inputs & ~local_x2apic) == 24 &&
             ((*inputs & local_x2apic) != 0) == x86::in_x2apic_mode());
  expect("and once", !start_admitting(controllers));
}

// PKRS has no upper half, which is one of the few registers whose rules TCG enforces.
void try_wrong_registers() {
  expect("a register on trial that takes the value", try_write_msr(x86::Msr::SysenterCs, 0));
  expect("and one that faults", !try_write_msr(static_cast<x86::Msr>(0x6e1), 1ull << 32));
}

// Too deep on purpose.
std::uint64_t overflow(std::uint64_t depth) {
  volatile std::uint64_t block[64];
  block[depth % 64] = depth;
  return depth == 0 ? 0 : overflow(depth + 1) + block[depth % 64];
}

void die_as_asked(const MemoryRange& blob) {
  const auto bytes = firmware_memory(blob.start, blob.size);
  const std::string_view command_line = parse_boot_facts(bytes, blob.start.value()).command_line;
  if (command_line == "die=stack") static_cast<void>(overflow(1));
  if (command_line == "die=fault") {
    static_cast<void>(*reinterpret_cast<volatile char*>(kernel_base - page_size));
  }
}

}  // namespace

extern "C" [[noreturn]] void kernel_main(std::uint32_t magic, std::uint32_t info) {
  start_emergency_serial();
  load_descriptor_tables();
  require_features();
  const BootInfo& boot = read_boot_info(magic, info);
  frames.use(boot.memory);
  build_kernel_tables(boot, frames);
  check_write_xor_execute();
  start_extended_state();
  start_interrupts();
  start_clock();
  die_as_asked(boot.blob);
  PageTable table = make_space();
  table.activate();
  try_system_call();
  try_first_write(table);
  try_flags();
  try_forbidden();
  try_impossible_rip();
  try_rest();
  try_gs_base();
  try_interrupt_controllers();
  try_wrong_registers();
  try_steps();
  try_breakpoints();
  exit_machine(all_good ? ExitCode::Clean : ExitCode::ProgramFailed);
}
