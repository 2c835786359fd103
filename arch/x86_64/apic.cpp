// See the header.
#include "arch/x86_64/apic.hpp"

#include "arch/x86_64/device_mapping.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"

namespace arch::x86 {
namespace {

constexpr std::uint32_t lvt_masked = 1 << 16;
constexpr std::uint32_t lvt_nmi = 4 << 8;  // delivery mode
constexpr std::uint32_t software_enable = 1 << 8;
constexpr std::size_t register_page = 4096;
constexpr unsigned last_divisor_shift = 7;  // 1 to 128

constexpr Msr x2apic_msr(std::uint16_t offset) { return static_cast<Msr>(0x800 + (offset >> 4)); }
static_assert(x2apic_msr(0x380) == Msr::X2ApicInitialCount);

// The divide register's odd encoding, SDM figure 11-10: 2 to 128 are 0 to 6, 1 is 7, bit 2 of that
// number stands in bit 3.
constexpr std::uint32_t divide_code(unsigned shift) {
  const unsigned number = (shift + 7) % 8;
  return (number & 3) | (number & 4) << 1;
}
static_assert(divide_code(0) == 0b1011 && divide_code(1) == 0b0000 && divide_code(7) == 0b1010);

}  // namespace

constinit LocalApic local_apic;

std::uint32_t LocalApic::read(Register r) const {
  const auto offset = static_cast<std::uint16_t>(r);
  if (mode_ == Mode::X2Apic) return static_cast<std::uint32_t>(read_msr(x2apic_msr(offset)));
  return registers_[offset / 4];
}

void LocalApic::write(Register r, std::uint32_t value) {
  const auto offset = static_cast<std::uint16_t>(r);
  if (mode_ == Mode::X2Apic) return write_msr(x2apic_msr(offset), value);
  registers_[offset / 4] = value;
}

std::uint32_t LocalApic::id() const {
  return mode_ == Mode::X2Apic ? read(Register::Id) : read(Register::Id) >> 24;
}

bool LocalApic::start() {
  std::uint64_t base = read_msr(Msr::ApicBase) | ApicBase::En::mask;
  // Firmware may have chosen x2APIC already; from there is no way back but through a reset.
  const bool extended = (cpuid(1).ecx & Cpuid1Ecx::X2Apic::mask) != 0 ||
                        (base & ApicBase::Extd::mask) != 0;
  write_msr(Msr::ApicBase, base);
  if (extended) {
    write_msr(Msr::ApicBase, base | ApicBase::Extd::mask);
    mode_ = Mode::X2Apic;
  } else {
    const auto bytes = map_device(reprise::PhysAddr{base & ApicBase::Base::mask}, register_page,
                                  CacheMode::Uncached);
    if (bytes.empty()) return false;
    registers_ = reinterpret_cast<volatile std::uint32_t*>(bytes.data());
    mode_ = Mode::XApic;
  }
  hold_devices();
  mask_local_sources();
  write(Register::Spurious, software_enable | spurious_vector);
  write(Register::LvtTimer, timer_vector);  // one-shot; a software-disabled APIC would mask it
  write(Register::ErrorStatus, 0);
  end_of_interrupt();  // of whatever the firmware left in service
  return true;
}

// An entry that this APIC does not have must not be written: as x2APIC that is a protection fault.
void LocalApic::mask_local_sources() {
  const std::uint32_t last_entry = read(Register::Version) >> 16 & 0xff;
  stop_timer();
  write(Register::LvtTimer, lvt_masked | timer_vector);
  write(Register::LvtLint0, lvt_masked);  // the 8259's way in
  write(Register::LvtLint1, lvt_nmi);
  if (last_entry >= 3) write(Register::LvtError, lvt_masked | spurious_vector);
  if (last_entry >= 4) write(Register::LvtPerformance, lvt_masked | lvt_nmi);
  if (last_entry >= 5) write(Register::LvtThermal, lvt_masked | spurious_vector);
}

void LocalApic::start_timer(std::uint64_t ticks) {
  constexpr std::uint64_t longest = 0xffffffff;
  unsigned shift = 0;
  while (ticks >> shift > longest && shift < last_divisor_shift) ++shift;
  std::uint64_t count = ticks >> shift;
  if (count == 0) count = 1;
  if (count > longest) count = longest;
  if (shift != divisor_shift_) {
    stop_timer();
    write(Register::Divide, divide_code(shift));
    divisor_shift_ = shift;
  }
  write(Register::InitialCount, static_cast<std::uint32_t>(count));
}

// 8259A data sheet: four initialization words each, then the mask.
void mask_legacy_controllers() {
  constexpr std::uint16_t first = 0x20;
  constexpr std::uint16_t second = 0xa0;
  for (const std::uint16_t controller : {first, second}) {
    out8(controller, 0x11);                              // cascaded, four words
    out8(controller + 1, controller == first ? 0x20 : 0x28);  // vectors behind the exceptions
    out8(controller + 1, controller == first ? 4 : 2);   // where the second one hangs
    out8(controller + 1, 1);                             // 8086 mode
    out8(controller + 1, 0xff);
  }
}

}  // namespace arch::x86
