// The final kernel page tables (Intel SDM Vol. 3A §4.5): the image with each section's own rights,
// the direct map of usable memory, and nothing else. The frames of the kernel's code are not in the
// direct map, so no second, writable way leads to them. All kernel entries are global: a
// reload of CR3 drops the program's translations only.
#include "arch/x86_64/kernel_tables.hpp"

#include <optional>

#include "arch/frame_memory.hpp"
#include "arch/machine.hpp"
#include "arch/x86_64/control_registers.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/text_line.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"

// From the linker script and boot/entry.asm; only their addresses mean anything.
extern "C" const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[], kernel_stack_guard[];

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PhysAddr;

namespace {

using E = TableEntry;

constexpr std::uint64_t large_page = 2 << 20;
constexpr std::uint64_t least_memory = 24ull << 20;
constexpr std::uint64_t readable = E::P::mask | E::G::mask | E::Xd::mask;
constexpr std::uint64_t writable = readable | E::Rw::mask;
constexpr std::uint64_t executable = E::P::mask | E::G::mask;

constinit FrameNumber root{};
constinit reprise::FrameSource* table_frames = nullptr;

std::uint64_t address(const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); }

std::size_t index_at(std::uint64_t virtual_address, unsigned level) {
  return virtual_address >> (reprise::page_shift + 9 * (level - 1)) & 511;
}

FrameNumber new_table() {
  const std::optional<FrameNumber> frame = table_frames->allocate();
  if (!frame) REPRISE_PANIC("no memory for the kernel's page tables");
  clear_frame(*frame);
  return *frame;
}

FrameNumber frame_in(std::uint64_t entry) {
  return reprise::frame_of(PhysAddr{entry & E::Frame::mask});
}

// The entry for `virtual_address` at `level` (1: 4 KiB, 2: 2 MiB); tables above it are made.
std::uint64_t& entry_at(std::uint64_t virtual_address, unsigned level) {
  FrameNumber table = root;
  for (unsigned at = 4; at > level; --at) {
    std::uint64_t& entry = frame_words(table)[index_at(virtual_address, at)];
    if (entry == 0) entry = address_of(new_table()).value() | E::P::mask | E::Rw::mask;
    REPRISE_ASSERT((entry & E::Ps::mask) == 0);
    table = frame_in(entry);
  }
  return frame_words(table)[index_at(virtual_address, level)];
}

bool covered(std::uint64_t virtual_address) {  // by a large page already
  const std::uint64_t entry = entry_at(virtual_address, 2);
  return (entry & E::P::mask) != 0 && (entry & E::Ps::mask) != 0;
}

void map_direct(PhysAddr start, std::uint64_t bytes, std::uint64_t rights) {
  std::uint64_t at = reprise::round_down(start.value());
  const std::uint64_t end = reprise::round_up(start.value() + bytes);
  REPRISE_ASSERT(end <= reprise::direct_map_limit);
  while (at < end) {
    const std::uint64_t virtual_address = reprise::direct_map_base + at;
    if (at % large_page == 0 && end - at >= large_page && entry_at(virtual_address, 2) == 0) {
      entry_at(virtual_address, 2) = at | rights | E::Ps::mask;
      at += large_page;
      continue;
    }
    if (!covered(virtual_address)) entry_at(virtual_address, 1) = at | rights;
    at += reprise::page_size;
  }
}

void map_image(const char* start, const char* end, std::uint64_t rights) {
  REPRISE_ASSERT(address(start) >= reprise::kernel_base);
  for (std::uint64_t at = address(start); at < address(end); at += reprise::page_size) {
    if (at == address(kernel_stack_guard)) continue;
    entry_at(at, 1) = (at - reprise::kernel_base) | rights;
  }
}

// A text of the boot information, which lies outside usable memory.
void map_text(std::string_view text) {
  const auto at = reinterpret_cast<std::uint64_t>(text.data());
  if (text.empty() || at < reprise::direct_map_base || at >= reprise::kernel_base) return;
  map_direct(PhysAddr{at - reprise::direct_map_base}, text.size(), readable);
}

void map_memory(const BootInfo& info) {
  // Page tables for devices lie in .bss (device_mapping.cpp) and are reached like all frames.
  const std::uint64_t data = address(data_start) - reprise::kernel_base;
  map_direct(PhysAddr{data}, address(data_end) - address(data_start), writable);
  for (const MemoryRange& range : info.memory) map_direct(range.start, range.size, writable);
  for (const Module& module : info.modules) {
    map_direct(module.range.start, module.range.size, readable);
    map_text(module.string);
  }
  map_text(info.command_line);
  map_text(info.loader);
  const Framebuffer& screen = info.framebuffer;
  if (screen.bits_per_pixel != 0) {
    map_direct(screen.address, std::uint64_t{screen.pitch} * screen.height,
               writable | E::Pwt::mask);  // write combining, as set_control_registers() has it
  }
}

void require_memory(std::uint64_t bytes) {
  if (bytes >= least_memory) return;
  TextLine people{"[reprise] Too little memory: "};
  people.number(bytes >> 20).text(" MiB usable, needed are ").number(least_memory >> 20);
  write_console(people.text(" MiB.\n").view());
  TextLine script{"reprise: error code=machine-unfit missing=memory found_bytes="};
  script.number(bytes).text(" needed_bytes=").number(least_memory);
  write_console(script.text("\n").view());
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace

FrameNumber x86::kernel_root() { return root; }

void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames) {
  require_memory(info.total_memory);
  table_frames = &frames;
  root = new_table();
  map_image(text_start, text_end, executable);
  map_image(rodata_start, rodata_end, readable);
  map_image(data_start, data_end, writable);
  map_memory(info);
  set_control_registers();
  write_cr3(address_of(root).value());
  write_cr4(read_cr4() | Cr4::Pge::mask);  // from here on nothing of the boot tables is left
}

}  // namespace arch
