#include "arch/x86_64/guest_breakpoints.hpp"

#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::size_t slots = GuestBreakpoints::slots;
constexpr std::uint32_t every_exception = ~std::uint32_t{0};
constexpr auto behind = static_cast<std::size_t>(BreakSlot::Behind);

constexpr std::uint64_t enables(std::size_t slot) { return bit(2 * slot) | bit(2 * slot + 1); }
// What it watches: 0 is the execution of an instruction.
constexpr std::uint64_t access(std::size_t slot) { return 3ull << (16 + 4 * slot); }
constexpr std::uint64_t kind(std::size_t slot) { return 0xfull << (16 + 4 * slot); }

std::uint64_t code_base(const Vmcb& block) {
  constexpr std::size_t cs = 1;
  return block.segments[cs].base;
}

// The kernel's take slots that the guest does not use; if all are used, the guest's own.
std::size_t slot_for(const GuestBreakpoints& breakpoints) {
  std::size_t slot = 0;
  while (slot < slots && (breakpoints.dr7 & enables(slot)) != 0) ++slot;
  if (slot < slots) return slot;
  return (breakpoints.kernels & 1) == 0 ? 0 : 1;
}

bool is_kernels(const GuestBreakpoints& breakpoints, std::size_t slot) {
  return (breakpoints.kernels & bit(slot)) != 0;
}

bool stands_at_breakpoint(const PerCpu& cpu, const Vmcb& block) {
  const reprise::UserAddr rip{block.rip};
  return cpu.breakpoints[0] == rip || cpu.breakpoints[1] == rip;
}

// Of the guest's own: those that watch data. Their #DB comes behind the access, as a single step's
// does, and before a breakpoint at the next instruction.
std::uint64_t traps_of_its_own(const GuestBreakpoints& breakpoints, std::uint64_t causes) {
  std::uint64_t traps = causes & Dr6::Bs;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const bool watches_data = (breakpoints.dr7 & access(slot)) != 0;
    if (watches_data && !is_kernels(breakpoints, slot)) traps |= causes & bit(slot);
  }
  return traps;
}

// One of the guest's own in the kernel's half could hit the kernel itself on its way, and is left
// out.
bool is_left_out(const GuestBreakpoints& breakpoints, std::size_t slot) {
  return !is_kernels(breakpoints, slot) && breakpoints.addresses[slot] >= reprise::user_high;
}

// The guest's own breakpoints, as bits of DR6, that hit the instruction at RIP.
std::uint64_t own_causes_at_rip(const GuestBreakpoints& breakpoints, const Vmcb& block) {
  if ((block.rflags & Rflags::Rf) != 0) return 0;
  const std::uint64_t linear = block.rip + code_base(block);
  std::uint64_t causes = 0;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const bool hits = breakpoints.addresses[slot] == linear &&
                      (breakpoints.dr7 & enables(slot)) != 0 &&
                      (breakpoints.dr7 & access(slot)) == 0;
    const bool own = !is_kernels(breakpoints, slot) && !is_left_out(breakpoints, slot);
    if (hits && own) causes |= bit(slot);
  }
  return causes;
}

void raise_debug_exception(Vmcb& block, std::uint64_t causes) {
  // BS and BD stay until they are cleared, B3 to B0 until the next breakpoint.
  if ((causes & Dr6::Breakpoints) != 0) block.dr6 &= ~std::uint64_t{Dr6::Breakpoints};
  block.dr6 |= causes;
  block.event = debug_vector | GuestEvent::Exception | GuestEvent::Valid;
}

// An event that waits comes first, and QEMU 7.2 would store the resume flag with it.
bool leaves_breakpoint(const PerCpu& cpu, const Vmcb& block, Arrival arrival) {
  return arrival == Arrival::Known && block.event == 0 && stands_at_breakpoint(cpu, block);
}

}  // namespace

GuestBreakpoints x86::breakpoints_for(const PerCpu& cpu, const VirtualCpu& virtual_cpu) {
  const Vmcb& block = virtual_cpu.block();
  GuestBreakpoints result{.addresses = virtual_cpu.breakpoints, .dr7 = block.dr7};
  for (const auto& breakpoint : cpu.breakpoints) {
    if (!breakpoint) continue;
    const std::size_t slot = slot_for(result);
    result.addresses[slot] = breakpoint->value() + code_base(block);
    result.dr7 = (result.dr7 & ~kind(slot)) | bit(2 * slot + 1);
    result.kernels |= bit(slot);
  }
  return result;
}

void x86::give_own_breakpoint(const PerCpu& cpu, const GuestBreakpoints& breakpoints,
                              Arrival arrival, Vmcb& block) {
  if (breakpoints.kernels == 0 || !leaves_breakpoint(cpu, block, arrival)) return;
  const std::uint64_t causes = own_causes_at_rip(breakpoints, block);
  if (causes != 0) raise_debug_exception(block, causes);
}

// QEMU 7.2 takes breakpoints from the machine's DR7 rather than the guest's: both have them.
void x86::arm_breakpoints(const PerCpu& cpu, const GuestBreakpoints& breakpoints, Arrival arrival,
                          Vmcb& block, GuestSwitch& s) {
  block.exceptions = always_intercepted;
  if ((breakpoints.dr7 & Dr7::Enabled) == 0) return;
  write_dr7(Dr7::Initial);  // what is armed in the machine must not hit the kernel meanwhile
  write_dr0(breakpoints.addresses[0]);
  write_dr1(breakpoints.addresses[1]);
  write_dr2(breakpoints.addresses[2]);
  write_dr3(breakpoints.addresses[3]);
  // A flip, or the guest, can set what MOV refuses in ring 0, or what traps MOVs there.
  s.dr7 = breakpoints.dr7 & Dr7::Writable & ~Dr7::Gd;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (is_left_out(breakpoints, slot)) s.dr7 &= ~enables(slot);
  }
  if (breakpoints.kernels == 0) return;
  block.dr7 = breakpoints.dr7;
  block.exceptions |= static_cast<std::uint32_t>(bit(debug_vector));
  if (cpu.breakpoints[behind]) block.exceptions = every_exception;
  block.dr6 = Dr6::Initial;  // it shows the causes of the next #DB alone
  if (leaves_breakpoint(cpu, block, arrival)) block.rflags |= Rflags::Rf;
}

// Bochs 2.7 names no cause in DR6: what comes at a breakpoint of the kernel's is taken for that.
std::optional<Trap> x86::debug_trap(const PerCpu& cpu, Vmcb& block,
                                    const GuestBreakpoints& breakpoints, std::uint64_t causes) {
  constexpr Trap arrived{.kind = Trap::Kind::Break, .vector = debug_vector};
  const bool by_kernels =
      (causes & breakpoints.kernels) != 0 || (causes == 0 && stands_at_breakpoint(cpu, block));
  if (by_kernels && traps_of_its_own(breakpoints, causes) == 0) return arrived;
  raise_debug_exception(block, causes & ~breakpoints.kernels);
  // As with any exception then, no handler of the guest's may see the count.
  if (cpu.breakpoints[behind]) return arrived;
  return std::nullopt;
}

}  // namespace arch
