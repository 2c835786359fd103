// A guest's registers as words: between UserState and the control block that the CPU reads.
#include "arch/guest_state.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/guest_traps.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/vmcb.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t initial_cr0 = Cr0::Ne | bit(4);    // ET is always set
constexpr std::uint64_t initial_pat = 0x0007040600070406;  // Intel SDM Vol. 3A §11.12.4

constexpr std::uint64_t seen_flags = Rflags::Seen | Rflags::Vm;

constexpr std::uint64_t run_begins = 0;  // in place of an exit code; reads of CR0 are no exits

struct Place {
  GuestWord word;
  std::uint64_t Vmcb::*where;
};
// Words that the block holds as they are.
constexpr Place places[] = {
    {GuestWord::Cr0, &Vmcb::cr0},
    {GuestWord::Cr2, &Vmcb::cr2},
    {GuestWord::Cr3, &Vmcb::cr3},
    {GuestWord::Cr4, &Vmcb::cr4},
    {GuestWord::Dr6, &Vmcb::dr6},
    {GuestWord::Dr7, &Vmcb::dr7},
    {GuestWord::Star, &Vmcb::star},
    {GuestWord::Lstar, &Vmcb::lstar},
    {GuestWord::Cstar, &Vmcb::cstar},
    {GuestWord::Sfmask, &Vmcb::sfmask},
    {GuestWord::KernelGsBase, &Vmcb::kernel_gs_base},
    {GuestWord::SysenterCs, &Vmcb::sysenter_cs},
    {GuestWord::SysenterEsp, &Vmcb::sysenter_esp},
    {GuestWord::SysenterEip, &Vmcb::sysenter_eip},
    {GuestWord::Pat, &Vmcb::pat},
    {GuestWord::Event, &Vmcb::event},
};

static_assert(sizeof(Vmcb::segments) == 8 * static_cast<std::size_t>(GuestWord::Cr0));
constexpr auto words_in_use = static_cast<std::size_t>(GuestWord::count);
static_assert(words_in_use <= guest_words);
constexpr auto first_breakpoint = static_cast<std::size_t>(GuestWord::Dr0);

// Bytes that the instruction of an exit has, where the CPU does not say where it ends.
std::uint64_t length_at(const Vmcb& block) {
  switch (static_cast<GuestExit>(block.exit_code)) {
    case GuestExit::Halt: return 1;
    case GuestExit::TimeStamp:
    case GuestExit::PerformanceCounter:
    case GuestExit::Cpuid:
    case GuestExit::InvalidateCaches:
    case GuestExit::Msr: return 2;
    case GuestExit::Call:
    case GuestExit::TimeStampP:
    case GuestExit::SetExtended: return 3;
    default: return 0;
  }
}

// The kernel may have moved RIP since, at the end of a step.
std::uint64_t next_rip(const Vmcb& block, std::uint64_t rip) {
  if (static_cast<GuestExit>(block.exit_code) == GuestExit::InputOutput) return block.exit_info_2;
  const std::uint64_t length = length_at(block);
  if (length != 0 && board.guests.next_rip_saved) return block.next_rip;
  return rip + length;
}

// The resume flag (RF) stands in the block, and belongs to the guest behind the stops at which both
// runs stop by themselves: an exception whose delivery met a nested fault goes on with it, and so
// does an instruction behind an IRET that has set it. Behind an interrupt it may be the kernel's
// own, set to leave a breakpoint, or tell that a repetition was interrupted; no two runs meet these
// alike. So it is no word there, but the guest goes on with it.
bool resume_flag_is_a_word(const Vmcb& block) {
  return block.exit_code == run_begins || block.exit_code == exit_nested_fault ||
         static_cast<GuestExit>(block.exit_code) == GuestExit::Window;
}
bool goes_on_with_resume_flag(const Vmcb& block) {
  return resume_flag_is_a_word(block) || block.exit_code == exit_interrupt ||
         block.exit_code == exit_nmi;
}

}  // namespace

void initialize_guest(UserState& state, VirtualCpu& cpu) {
  initialize(state, 0, 0);  // for the extended state
  state.general.fill(0);
  state.virtual_cpu = &cpu;
  state[Register::Rflags] = Rflags::Fixed;
  state[GuestWord::Cr0] = initial_cr0;
  state[GuestWord::Dr6] = Dr6::Initial;
  state[GuestWord::Dr7] = Dr7::Initial;
  state[GuestWord::Pat] = initial_pat;
  state[GuestWord::Xcr0] = Xcr0::X87;
}

void x86::put_trap_words(const UserState& state) {
  Vmcb& block = state.virtual_cpu->block();
  block.rax = state[Register::Rax];
  block.rsp = state[Register::Rsp];
  block.rip = state[Register::Rip];
  const std::uint64_t kept = goes_on_with_resume_flag(block) ? block.rflags & Rflags::Rf : 0;
  block.rflags = (state[Register::Rflags] & seen_flags) | Rflags::Fixed | kept;
}

void x86::take_trap_words(UserState& state) {
  const Vmcb& block = state.virtual_cpu->block();
  state[Register::Rax] = block.rax;
  state[Register::Rsp] = block.rsp;
  state[Register::Rip] = block.rip;
  state[Register::Rflags] = block.rflags & seen_flags;
}

void x86::save_guest(UserState& state) {
  const Vmcb& block = state.virtual_cpu->block();
  __builtin_memcpy(state.guest.data(), block.segments.data(), sizeof block.segments);
  for (const Place& place : places) state[place.word] = block.*place.where;
  if (resume_flag_is_a_word(block)) state[Register::Rflags] |= block.rflags & Rflags::Rf;
  state[GuestWord::Efer] = block.efer & ~Efer::Svme;
  state[GuestWord::Cr8] = block.virtual_interrupt & VirtualInterrupt::Tpr;
  state[GuestWord::Window] = (block.virtual_interrupt & VirtualInterrupt::Irq) != 0 ? 1 : 0;
  state[GuestWord::Cpl] = block.cpl;
  state[GuestWord::Shadow] = block.shadow & 1;
  state[GuestWord::NextRip] = next_rip(block, state[Register::Rip]);
  state[GuestWord::Xcr0] = state.virtual_cpu->xcr0;
  const auto& breakpoints = state.virtual_cpu->breakpoints;
  for (std::size_t i = 0; i < breakpoints.size(); ++i)
    state.guest[first_breakpoint + i] = breakpoints[i];
  for (std::size_t i = words_in_use; i < guest_words; ++i) state.guest[i] = 0;
}

void x86::load_guest(const UserState& state) {
  Vmcb& block = state.virtual_cpu->block();
  __builtin_memcpy(block.segments.data(), state.guest.data(), sizeof block.segments);
  for (const Place& place : places) block.*place.where = state[place.word];
  block.efer = state[GuestWord::Efer] | Efer::Svme;
  const std::uint64_t window = state[GuestWord::Window] != 0 ? VirtualInterrupt::Irq : 0;
  block.virtual_interrupt = (state[GuestWord::Cr8] & VirtualInterrupt::Tpr) | window |
                            VirtualInterrupt::IgnoreTpr | VirtualInterrupt::Masking;
  block.cpl = static_cast<std::uint8_t>(state[GuestWord::Cpl] & 3);
  block.shadow = state[GuestWord::Shadow] & 1;
  block.exit_code = run_begins;
  block.rflags = state[Register::Rflags];
  auto& breakpoints = state.virtual_cpu->breakpoints;
  for (std::size_t i = 0; i < breakpoints.size(); ++i)
    breakpoints[i] = state.guest[first_breakpoint + i];
  state.virtual_cpu->xcr0 = state[GuestWord::Xcr0];
  state.virtual_cpu->stale = true;
}

bool takes_interrupts(const UserState& state) {
  return (state[Register::Rflags] & Rflags::If) != 0 && state[GuestWord::Shadow] == 0 &&
         state[GuestWord::Event] == 0;
}

bool event_waits(const UserState& state) { return state.virtual_cpu->block().event != 0; }

void skip_instruction(UserState& state) {
  state[Register::Rip] = state[GuestWord::NextRip];
  state[Register::Rflags] &= ~Rflags::Rf;
  state[GuestWord::Shadow] = 0;
}

}  // namespace arch
