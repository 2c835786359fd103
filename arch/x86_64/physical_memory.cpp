// Physical addresses for which the boot loader's memory map has no usable memory.
#include "arch/physical_memory.hpp"

#include "arch/interrupts.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/table_walk.hpp"

extern "C" const char image_physical_start[], image_physical_end[];  // boot/kernel.ld

namespace arch {

using namespace x86;
using reprise::PhysAddr;

namespace {

// The image is not in the direct map.
bool touches_image(PhysAddr first, PhysAddr last) {
  const auto start = reinterpret_cast<std::uint64_t>(image_physical_start);
  const auto end = reinterpret_cast<std::uint64_t>(image_physical_end);
  return first.value() < end && last.value() >= start;
}

// Whether the CPU can address it, and the direct map has room for it.
bool is_in_reach(PhysAddr first, PhysAddr last) {
  constexpr std::uint64_t most = 1ull << 32;
  if (last < first || last.value() >= reprise::direct_map_limit) return false;
  const std::uint32_t address_bits = cpuid(0x80000008, 0).eax & 0xff;  // an entry with more faults
  return last.value() >> address_bits == 0 && last.value() - first.value() < most;
}

// Whether the kernel has mapped none of it with one of these rights: what it has mapped at all is
// its own, be it memory, a module or an interrupt controller.
bool is_free(PhysAddr first, PhysAddr last, std::uint64_t rights) {
  if (!is_in_reach(first, last) || touches_image(first, last)) return false;
  std::uint64_t at = reprise::round_down(first.value());
  for (; at <= last.value(); at += reprise::page_size) {
    if (at % (128 * reprise::page_size) == 0) admit_interrupts();
    const std::uint64_t address = reprise::direct_map_base + at;
    const std::uint64_t* const entry = table_entry(kernel_root(), address, 1, nullptr, 0);
    if (entry != nullptr && (*entry & rights) != 0) return false;
  }
  return true;
}

}  // namespace

bool is_device_memory(PhysAddr first, PhysAddr last) { return is_free(first, last, ~0ull); }

std::span<std::byte> device_memory(PhysAddr start, std::size_t size) {
  return map_device(start, size, CacheMode::WriteCombining);
}

std::span<const std::byte> firmware_memory(PhysAddr start, std::size_t size) {
  if (size == 0 || !is_free(start, start + (size - 1), TableEntry::Rw)) return {};
  return map_physical(start, size, kernel_readable);
}

}  // namespace arch
