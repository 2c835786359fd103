// The final kernel page tables: the image with each section's own rights, the direct map of usable
// memory, devices, and nothing else. The frames of the kernel's code are not in the direct map, so
// no second, writable way leads to them. All kernel entries are global: a reload of CR3 drops the
// program's translations only. Host tests put a fake memory in the place of this file.
#include "arch/x86_64/kernel_tables.hpp"

#include "arch/device_access.hpp"
#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/parts.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/text_line.hpp"

// From the linker script and boot/entry.asm; only their addresses mean anything.
extern "C" const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[], kernel_stack_guard[], image_physical_start[], image_physical_end[];

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PhysAddr;
using E = TableEntry;

namespace {

constexpr std::uint64_t least_memory = 24ull << 20;
constexpr std::uint64_t executable = E::P | E::G, readable = executable | E::Xd,
                        writable = readable | E::Rw;

constinit FrameNumber root{};
constinit reprise::FrameSource* table_frames = nullptr;

std::uint64_t address(const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); }

void map_image(const char* start, const char* end, std::uint64_t rights) {
  REPRISE_ASSERT(address(start) >= reprise::kernel_base);
  for (std::uint64_t at = address(start); at < address(end); at += reprise::page_size) {
    if (at == address(kernel_stack_guard)) continue;
    std::uint64_t* const entry = table_entry(root, at, 1, table_frames, E::P | E::Rw);
    REPRISE_ASSERT(entry != nullptr);
    *entry = (at - reprise::kernel_base) | rights;
  }
}

void map_memory(std::span<const MemoryRange> ranges, std::uint64_t rights) {
  for (const MemoryRange& range : ranges) {
    const bool mapped = map_direct(root, range.start, range.size, rights, *table_frames);
    REPRISE_ASSERT(mapped);
  }
}

// In the active tables: a space made earlier lacks what has been added to the root since.
std::span<std::byte> map_physical(PhysAddr start, std::size_t size, std::uint64_t rights) {
  if (!map_direct(frame_in(read_cr3()), start, size, rights, *table_frames)) return {};
  return physical_bytes(start, size);
}

// Whether the kernel has mapped none of it with one of these rights: what it has mapped at all is
// its own, be it memory, a module or an interrupt controller. Its image is not in the direct map.
bool is_free(PhysAddr first, PhysAddr last, std::uint64_t rights) {
  constexpr std::uint64_t most = 1ull << 32;
  const std::uint32_t address_bits = cpuid(0x80000008, 0).eax & 0xff;  // an entry with more faults
  if (last < first || last.value() >= reprise::direct_map_limit) return false;
  if (last.value() >> address_bits != 0 || last.value() - first.value() >= most) return false;
  const bool in_image =
      first.value() < address(image_physical_end) && last.value() >= address(image_physical_start);
  if (in_image) return false;
  std::uint64_t at = reprise::round_down(first.value());
  for (; at <= last.value(); at += reprise::page_size) {
    if (at % (128 * reprise::page_size) == 0) admit_interrupts();
    auto* const entry = table_entry(root, reprise::direct_map_base + at, 1, nullptr, 0);
    if (entry != nullptr && (*entry & rights) != 0) return false;
  }
  return true;
}

void require_memory(std::uint64_t bytes) {
  if (bytes >= least_memory) return;
  write_emergency(reprise::TextLine{
      "[reprise] Too little memory: ", bytes >> 20, " MiB usable, needed are ", least_memory >> 20,
      " MiB.\n", "reprise: error code=machine-unfit missing=memory found_bytes=", bytes,
      " needed_bytes=", least_memory, "\n"}
                      .view());
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace

FrameNumber x86::kernel_root() { return root; }

FrameWords frame_words(FrameNumber frame) {
  const std::uint64_t address = reprise::direct_map_base + address_of(frame).value();
  return FrameWords{reinterpret_cast<std::uint64_t*>(address), reprise::words_per_page};
}

std::span<std::byte> physical_bytes(PhysAddr start, std::size_t size) {
  return {reinterpret_cast<std::byte*>(reprise::direct_map_base + start.value()), size};
}

std::span<std::byte> x86::map_device(PhysAddr start, std::size_t size, CacheMode mode) {
  return map_physical(start, size, writable | static_cast<std::uint64_t>(mode));
}

bool is_device_memory(PhysAddr first, PhysAddr last) { return is_free(first, last, ~0ull); }

std::span<std::byte> device_memory(PhysAddr start, std::size_t size) {
  return map_device(start, size, CacheMode::WriteCombining);
}

std::span<const std::byte> firmware_memory(PhysAddr start, std::size_t size) {
  if (size == 0 || !is_free(start, start + (size - 1), E::Rw)) return {};
  return map_physical(start, size, readable);
}

void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames) {
  require_memory(info.total_memory);
  table_frames = &frames;
  const auto frame = frames.allocate();
  REPRISE_ASSERT(frame.has_value());
  root = *frame;
  clear_frame(root);
  map_image(text_start, text_end, executable);
  map_image(rodata_start, rodata_end, readable);
  map_image(data_start, data_end, writable);
  map_memory(info.memory, writable);
  map_memory(info.modules, readable);
  set_control_registers();
  write_cr3(address_of(root).value());
  write_cr4(read_cr4() | Cr4::Pge);  // from here on nothing of the boot tables is left
}

}  // namespace arch
