#include "tests/arch/counting_machine.hpp"

#include "arch/direct_map.hpp"
#include "arch/serial.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/timer.hpp"

// No guest is entered.
extern "C" void enter_guest(arch::x86::GuestSwitch*) {}
extern "C" void guest_switch_end() {}

using namespace arch;
using namespace arch::x86;
using Pmu = CountingMachine::Pmu;

namespace {

constexpr auto lvtpc = static_cast<Msr>(0x834), initial_count = static_cast<Msr>(0x838),
               current_count = static_cast<Msr>(0x839), apic_version = static_cast<Msr>(0x803),
               end_of_service = static_cast<Msr>(0x80b), timers_request = static_cast<Msr>(0x827);
constexpr std::uint64_t fixed_0 = 1ull << 32, lvt_mask = 1 << 16;

std::uint64_t mask() { return (1ull << machine.width) - 1; }
bool is_amd() { return machine.pmu == Pmu::AmdCore || machine.pmu == Pmu::AmdOld; }

Msr counter_register() {
  return machine.pmu == Pmu::Intel    ? Msr::FixedCounter0
         : machine.pmu == Pmu::AmdOld ? Msr::PerfCtr0
                                      : Msr::PerfCtrCore0;
}
Msr control_register() {
  return machine.pmu == Pmu::Intel    ? Msr::FixedControl
         : machine.pmu == Pmu::AmdOld ? Msr::PerfEvtSel0
                                      : Msr::PerfCtl0;
}

bool of_counters(Msr msr) {
  const auto number = static_cast<std::uint32_t>(msr);
  return number == 0x309 || (number >= 0x38d && number <= 0x390) ||
         (number >= 0xc0010000 && number <= 0xc0010207);
}

// Whether WRMSR takes it: else #GP.
bool takes(Msr msr, std::uint64_t value) {
  if (machine.pmu == Pmu::Silent) return true;
  if (machine.pmu == Pmu::None) return false;
  if (msr == counter_register()) return (value & ~mask()) == 0;
  if (msr == control_register()) return is_amd() || (value & ~0xfffull) == 0;
  if (machine.pmu != Pmu::Intel) return false;
  if (msr == Msr::GlobalControl) return (value & ~(7ull << 32)) == 0;
  const std::uint64_t version_4 = machine.version >= 4 ? 3ull << 58 : 0;
  return msr == Msr::GlobalStatusReset && (value & ~(7ull << 32 | 3ull << 62 | version_4)) == 0;
}

bool enabled() {
  if (machine.pmu == Pmu::Intel) {
    return (machine.global & fixed_0) != 0 && (machine.control & 2) != 0 && !machine.frozen;
  }
  return is_amd() && (machine.control & 0xff) == 0xc0 && (machine.control & 1 << 16) != 0 &&
         (machine.control & 1 << 22) != 0;
}

void overflow() {
  machine.status |= fixed_0;
  machine.frozen = machine.freezes;
  const std::uint64_t interrupt = is_amd() ? 1 << 20 : 1 << 3;
  if ((machine.control & interrupt) != 0 && machine.interrupts) machine.nmi_in = machine.skid;
}

void retire(std::uint64_t count) {
  if (!enabled() || !machine.counts) return;
  machine.value += count;
  if (machine.value <= mask()) return;
  machine.value &= mask();
  overflow();
}

void write(Msr msr, std::uint64_t value) {
  if (msr == counter_register()) {
    if (enabled()) throw std::logic_error("the counter was written while it ran");
    const auto low = static_cast<std::int32_t>(value);
    machine.value = (machine.sign_extends ? static_cast<std::uint64_t>(low) : value) & mask();
  } else if (msr == control_register()) {
    machine.control = value;
  } else if (msr == Msr::GlobalControl) {
    machine.global = value;
    if (value == 0 || !machine.stale) return;
    machine.status |= fixed_0;
    machine.nmi_in = 0;
  } else if (msr == Msr::GlobalStatusReset) {
    machine.status &= ~value;
    if ((value & 1ull << 59) != 0) machine.frozen = false;
  }
}

bool on_write(Msr msr, std::uint64_t value) {
  machine.writes.emplace_back(msr, value);
  if (msr == initial_count) {
    machine.timer_end = value == 0 ? 0 : machine.stamp + value * machine.timer_rate;
    if (value != 0 && machine.late_timers != 0) {
      --machine.late_timers;
      machine.timer_end += 1'000'000;
    }
  } else if (msr == end_of_service) {
    machine.timer_in_service = false;
  } else if (of_counters(msr)) {
    if (!takes(msr, value)) throw GeneralProtection("WRMSR");
    if (machine.pmu != Pmu::Silent) write(msr, value);
  } else {
    return false;
  }
  return true;
}

std::optional<std::uint64_t> on_read(Msr msr) {
  if (msr == apic_version) return 5 << 16;
  if (msr == current_count) {
    return machine.timer_end > machine.stamp ? machine.timer_end - machine.stamp : 0;
  }
  if (msr == timers_request) return machine.timer_pending ? 1 << (timer_vector % 32) : 0;
  if (msr == Msr::PerfCapabilities && (cpu.leaves[{1, 0}].ecx & 1 << 15) == 0) {
    throw GeneralProtection("RDMSR");
  }
  if (!of_counters(msr)) return std::nullopt;
  if (machine.pmu == Pmu::Silent) return 0;
  if (machine.pmu == Pmu::None) throw GeneralProtection("RDMSR");
  if (msr == counter_register()) return machine.value;
  if (machine.pmu == Pmu::Intel && msr == Msr::GlobalStatus) return machine.status;
  throw GeneralProtection("RDMSR");
}

// The word's entry, level by level (Intel SDM Vol. 3A §4.5).
const std::uint8_t* user_bytes(std::uint64_t address, std::uint64_t rights = 5) {
  std::uint64_t frame = cpu.cr3 >> 12;
  for (const unsigned shift : {39, 30, 21, 12}) {
    const std::uint64_t entry = frame_words(reprise::FrameNumber{frame})[address >> shift & 511];
    if ((entry & rights) != rights) throw std::logic_error("reaches what is not mapped so");
    frame = (entry & TableEntry::Frame) >> 12;
  }
  return reinterpret_cast<const std::uint8_t*>(frame_words(reprise::FrameNumber{frame}).data()) +
         (address & 0xfff);
}

void tick(std::uint64_t ticks) {
  const bool ran = machine.timer_end != 0;
  machine.stamp += ticks;
  if (ran && machine.stamp >= machine.timer_end) {
    machine.timer_end = 0;
    machine.timer_pending = true;
  }
}

// An interrupt that is to be taken before the next instruction.
std::optional<std::uint64_t> interrupt() {
  if (machine.nmi_from_elsewhere) {
    machine.nmi_from_elsewhere = false;
    return nmi_vector;
  }
  if (machine.nmi_in == 0u) {
    machine.nmi_in.reset();
    const bool admitted = cpu.msrs[lvtpc] == 4 << 8;
    if (admitted && machine.pmu == Pmu::Intel) cpu.msrs[lvtpc] |= lvt_mask;
    if (admitted) return nmi_vector;
  }
  if (!machine.timer_pending || machine.timer_in_service) return std::nullopt;
  machine.timer_pending = false;
  machine.timer_in_service = true;
  return timer_vector;
}

constexpr std::uint64_t page_fault = page_fault_vector | 6ull << 32;

void write_byte(std::uint64_t address) { *const_cast<std::uint8_t*>(user_bytes(address, 7)) += 1; }

// One instruction; a reason when it traps. A faulting one does not retire.
std::optional<std::uint64_t> execute(UserState& s) {
  const std::uint8_t* code = user_bytes(s[Register::Rip]);
  std::uint64_t& rip = s[Register::Rip];
  static bool zero = false;
  const auto immediate = [code] { return code[1] | code[2] << 8 | code[3] << 16; };
  std::optional<std::uint64_t> reason;
  switch (code[0] << 8 | code[1]) {
    case 0x0f05:
      rip += 2;
      reason = system_call_reason;
      break;                         // SYSCALL
    case 0x8806: return page_fault;  // MOV [RSI], AL
    case 0xffc9:
      zero = --s[Register::Rcx] == 0;
      rip += 2;
      break;
    case 0xffcd:
      zero = --s[Register::Rbp] == 0;
      rip += 2;
      break;
    case 0x31c0: rip += 2; break;  // XOR EAX, EAX
    case 0x0fa2:                   // CPUID
      if (machine.cpuid_faults) return general_protection_vector;
      rip += 2;
      break;
    case 0xf0ff:
      write_byte(s[Register::Rdi]);
      rip += 3;
      break;      // LOCK INC [RDI]
    case 0xf3aa:  // REP STOSB
      for (; s[Register::Rcx] != 0; --s[Register::Rcx]) write_byte(s[Register::Rdi]++);
      rip += 2;
      break;
    default:
      if (code[0] == 0x90)
        rip += 1;
      else if (code[0] == 0xb9) {
        s[Register::Rcx] = immediate();
        rip += 5;
      } else if (code[0] == 0xbd) {
        s[Register::Rbp] = immediate();
        rip += 5;
      } else if (code[0] == 0x75)
        rip += 2 + (zero ? 0 : static_cast<std::int8_t>(code[1]));
      else
        throw std::logic_error("an instruction that nobody taught this machine");
  }
  ++machine.executed;
  if (machine.nmi_in && *machine.nmi_in > 0) --*machine.nmi_in;
  const auto lies = [](std::uint64_t every) {
    return every != 0 && machine.executed > machine.sound_for && machine.executed % every == 0;
  };
  retire(lies(machine.leaves_out) ? 0 : lies(machine.doubles) ? 2 : 1);
  tick(machine.clock_rate);
  return reason;
}

std::uint64_t run(UserState& state) {
  const bool step = (state[Register::Rflags] & Rflags::Tf) != 0;
  for (bool first = true;; first = false) {
    if (const auto vector = interrupt()) {
      if (!first) retire(machine.gain);
      return *vector;
    }
    const auto reason = execute(state);
    if (reason && *reason != system_call_reason && !first) retire(machine.gain);
    if (reason) return *reason;
    if (!step) continue;
    cpu.dr6 |= Dr6::Bs;
    retire(machine.gain);
    return debug_vector;
  }
}

void pass_kernel() {
  if (machine.counts_kernel) retire(30);
  static std::uint64_t random = 1;
  random = random * 6364136223846793005 + 1442695040888963407;
  tick((machine.kernel_ticks + (machine.clock_jitters ? random >> 61 : 0)) * machine.clock_rate);
}

}  // namespace

void CountingMachine::power_on(std::uint32_t leaf_1_ecx) {
  cpu = {};
  cpu.leaves[{0, 0}] = {0xd, is_amd() ? 0x68747541u : 0x756e6547u, 0, 0};
  cpu.leaves[{1, 0}].ecx = leaf_1_ecx | 1 << 21;
  cpu.leaves[{0x80000000, 0}].eax = 0x80000008;
  if (pmu == Pmu::AmdCore) cpu.leaves[{0x80000001, 0}].ecx = 1 << 23;
  if (pmu == Pmu::Intel && version != 0) {
    cpu.leaves[{0xa, 0}] = {version | 8 << 8, 0, 0, 3 | width << 5};
  }
  cpu.cr3 = 0x7777000;
  cpu.on_write_msr = on_write;
  cpu.on_read_msr = on_read;
  cpu.time_stamp = [] { return machine.stamp; };
  cpu.ticks_of_two_instructions = static_cast<std::uint32_t>(2 * clock_rate);
  cpu.interrupts_on = [] {
    if (std::exchange(machine.timer_pending, false)) handle_interrupt(timer_vector);
  };
  start_local_apic();
  writes.clear();
}

CountingMachine& become(Pmu pmu) {
  machine = {};
  machine.pmu = pmu;
  return machine;
}

void power_on_tcg() {
  constexpr std::uint32_t hypervisor = 1u << 31;
  machine.power_on(hypervisor);
  cpu.leaves[{0x40000000, 0}] = {0x40000001, 0x54474354, 0x43544743, 0x47435447};
}

extern "C" {
std::uint64_t enter_user(UserState* state) {
  pass_kernel();
  const std::uint64_t reason = run(*state);
  pass_kernel();
  return reason;
}
bool try_write_msr(Msr msr, std::uint64_t value) {
  if (of_counters(msr) && !takes(msr, value)) return false;
  write_msr(msr, value);
  return true;
}
void system_call_entry() {}
void iret_to_user() {}
void tried_wrmsr() {}
}

void arch::arm_timer(reprise::Nanoseconds duration) {
  machine.timer_expired = false;
  machine.timer_armed = duration.value() != 0;
  if (machine.timer_armed) start_timer(duration.value());
}
void x86::note_timer_interrupt() {
  if (!machine.timer_armed || timer_count() != 0) return;
  machine.timer_armed = false;
  machine.timer_expired = true;
}
std::optional<std::uint64_t> x86::timer_left() {
  if (!machine.timer_armed) return std::nullopt;
  return timer_count();
}
bool x86::take_timer_expiry() { return std::exchange(machine.timer_expired, false); }
void x86::note_device_interrupt(std::uint8_t) {}
bool x86::clear_machine_check() { return true; }
void arch::write_emergency(std::string_view) {}
std::span<std::byte> x86::map_device(reprise::PhysAddr, std::size_t, CacheMode) { return {}; }
