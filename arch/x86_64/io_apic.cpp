// See the header.
#include "arch/x86_64/io_apic.hpp"

#include "arch/x86_64/device_mapping.hpp"

namespace arch::x86 {
namespace {

constexpr std::size_t index_word = 0;  // the two registers in memory, in 32-bit words
constexpr std::size_t data_word = 4;
constexpr std::size_t register_bytes = 0x20;
constexpr std::uint32_t version_index = 1;
constexpr std::uint32_t first_entry_index = 0x10;  // two words an input
constexpr std::uint32_t active_low = 1 << 13;
constexpr std::uint32_t level_triggered = 1 << 15;
constexpr std::uint32_t masked = 1 << 16;

}  // namespace

bool IoApic::start(const IoApicEntry& entry) {
  const auto bytes = map_device(entry.address, register_bytes, CacheMode::Uncached);
  if (bytes.empty()) return false;
  registers_ = reinterpret_cast<volatile std::uint32_t*>(bytes.data());
  first_ = entry.first_interrupt;
  inputs_ = (read(version_index) >> 16 & 0xff) + 1;
  mask_all();
  return true;
}

std::uint32_t IoApic::read(std::uint32_t index) const {
  registers_[index_word] = index;
  return registers_[data_word];
}

void IoApic::write(std::uint32_t index, std::uint32_t value) {
  registers_[index_word] = index;
  registers_[data_word] = value;
}

void IoApic::mask_all() {
  for (std::uint32_t i = 0; i < inputs_; ++i) write(first_entry_index + 2 * i, masked);
}

// Physical destination; fixed delivery. The low word, which unmasks, comes last.
void IoApic::route(const InterruptSource& source, std::uint8_t vector, std::uint32_t apic_id) {
  const std::uint32_t index = first_entry_index + 2 * (source.interrupt - first_);
  write(index + 1, apic_id << 24);
  write(index, vector | (source.active_low ? active_low : 0) |
                   (source.level_triggered ? level_triggered : 0));
}

}  // namespace arch::x86
