// The local APIC (Intel SDM Vol. 3A chapter 11; AMD APM Vol. 2 chapter 16): what may interrupt, and
// the one-shot timer. A CPU with x2APIC is driven through MSRs, any other through memory (xAPIC).
// Both have the same registers, named here by their xAPIC offsets. The timer counts down at a rate
// of its own. Its other mode, which waits for a time stamp, is not used: some CPUs have it wrong.
//
// Within a PE, task priority lets only the timer through. A device's interrupt waits for the PE's
// end. Next: interrupts.cpp, which says when devices are let in.
#include "arch/x86_64/apic.hpp"

#include "arch/x86_64/features.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/assert.hpp"

namespace arch::x86 {
namespace {

enum class ApicRegister : std::uint16_t {
  Id = 0x20,
  Version = 0x30,
  TaskPriority = 0x80,
  EndOfInterrupt = 0xb0,
  Spurious = 0xf0,
  TimersRequest = 0x200 + timer_vector / 32 * 0x10,
  ErrorStatus = 0x280,
  Command = 0x300,
  LvtTimer = 0x320,
  LvtThermal = 0x330,
  LvtPerformance = 0x340,
  LvtLint0 = 0x350,
  LvtLint1 = 0x360,
  LvtError = 0x370,
  InitialCount = 0x380,
  CurrentCount = 0x390,
  Divide = 0x3e0,
};

constexpr std::uint32_t lvt_masked = 1 << 16;
constexpr std::uint32_t lvt_nmi = 4 << 8;  // delivery mode
constexpr std::uint32_t software_enable = 1 << 8;
constexpr std::uint32_t device_priority = 0xe0;  // see apic.hpp

constexpr Msr x2apic_msr(ApicRegister r) {
  return static_cast<Msr>(0x800 + (static_cast<unsigned>(r) >> 4));
}
static_assert(x2apic_msr(ApicRegister::InitialCount) == Msr::X2ApicInitialCount);

std::uint32_t read(ApicRegister r) {
  volatile std::uint32_t* const registers = this_cpu().xapic;
  if (registers == nullptr) return static_cast<std::uint32_t>(read_msr(x2apic_msr(r)));
  return registers[static_cast<unsigned>(r) / 4];
}

void write(ApicRegister r, std::uint32_t value) {
  volatile std::uint32_t* const registers = this_cpu().xapic;
  if (registers == nullptr) return write_msr(x2apic_msr(r), value);
  registers[static_cast<unsigned>(r) / 4] = value;
}

// Writes only the entries that this APIC has. In x2APIC mode any other one is a protection fault.
void mask_local_sources() {
  const std::uint32_t last_entry = read(ApicRegister::Version) >> 16 & 0xff;
  stop_timer();
  write(ApicRegister::LvtTimer, lvt_masked | timer_vector);
  write(ApicRegister::LvtLint0, lvt_masked);  // the 8259's way in
  write(ApicRegister::LvtLint1, lvt_nmi);
  if (last_entry >= 3) write(ApicRegister::LvtError, lvt_masked | spurious_vector);
  if (last_entry >= 4) write(ApicRegister::LvtPerformance, lvt_masked | lvt_nmi);
  if (last_entry >= 5) write(ApicRegister::LvtThermal, lvt_masked | spurious_vector);
}

}  // namespace

bool in_x2apic_mode() { return this_cpu().xapic == nullptr; }

std::uint32_t local_apic_id() { return read(ApicRegister::Id) >> (in_x2apic_mode() ? 0 : 24); }

void start_local_apic() {
  const std::uint64_t base = read_msr(Msr::ApicBase) | ApicBase::En;
  write_msr(Msr::ApicBase, base);
  // Firmware may have chosen x2APIC already. Only a reset leads back from it.
  if (has(feature::x2apic) || (base & ApicBase::Extd) != 0) {
    write_msr(Msr::ApicBase, base | ApicBase::Extd);
  } else {
    const auto page = map_device(reprise::PhysAddr{base & ApicBase::Base}, reprise::page_size,
                                 CacheMode::Uncached);
    REPRISE_ASSERT(!page.empty());  // require_features() has found an APIC
    this_cpu().xapic = reinterpret_cast<volatile std::uint32_t*>(page.data());
  }
  hold_devices();
  // This comes first: a software-disabled APIC masks every entry that is written.
  write(ApicRegister::Spurious, software_enable | spurious_vector);
  mask_local_sources();
  constexpr std::uint32_t divide_by_1 = 0b1011;  // SDM figure 11-10
  write(ApicRegister::Divide, divide_by_1);
  write(ApicRegister::LvtTimer, timer_vector);  // one-shot
  write(ApicRegister::ErrorStatus, 0);
  end_of_interrupt();  // for an interrupt that the firmware may have left in service
}

void end_of_interrupt() { write(ApicRegister::EndOfInterrupt, 0); }
void admit_devices() { write(ApicRegister::TaskPriority, 0); }
void hold_devices() { write(ApicRegister::TaskPriority, device_priority); }
void kick_self() {
  constexpr std::uint32_t to_self = 1 << 18;  // and fixed delivery (Intel SDM Vol. 3A §10.6.1)
  write(ApicRegister::Command, to_self | kick_vector);
}
void admit_counter_interrupt() { write(ApicRegister::LvtPerformance, lvt_nmi); }

std::uint32_t timer_count() { return read(ApicRegister::CurrentCount); }
bool timer_interrupt_waits() {
  return (read(ApicRegister::TimersRequest) >> timer_vector % 32 & 1) != 0;
}

void stop_timer() { write(ApicRegister::InitialCount, 0); }

void start_timer(std::uint64_t ticks) {
  constexpr std::uint64_t shortest = 1, longest = 0xffffffff;
  const std::uint64_t count = reprise::larger(shortest, reprise::smaller(ticks, longest));
  write(ApicRegister::InitialCount, static_cast<std::uint32_t>(count));
}

}  // namespace arch::x86
