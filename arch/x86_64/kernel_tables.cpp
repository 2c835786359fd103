// The final kernel page tables: the image with each section's own rights, the direct map of usable
// memory, devices, and nothing else. The frames of the kernel's code are not in the direct map, so
// no second, writable way leads to them. All kernel entries are global: a reload of CR3 drops the
// program's translations only.
#include "arch/kernel_tables.hpp"

#include "arch/frame_memory.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/control_registers.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/text_line.hpp"

// From the linker script and boot/entry.asm; only their addresses mean anything.
extern "C" const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[], kernel_stack_guard[];

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PhysAddr;

namespace {

constexpr std::uint64_t least_memory = 24ull << 20;

std::uint64_t address(const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); }

void map_image(const char* start, const char* end, std::uint64_t rights) {
  REPRISE_ASSERT(address(start) >= reprise::kernel_base);
  for (std::uint64_t at = address(start); at < address(end); at += reprise::page_size) {
    if (at == address(kernel_stack_guard)) continue;
    std::uint64_t* const entry =
        table_entry(board.kernel_root, at, 1, board.table_frames, inner_kernel_rights);
    REPRISE_ASSERT(entry != nullptr);
    *entry = (at - reprise::kernel_base) | rights;
  }
}

void map_memory(std::span<const MemoryRange> ranges, std::uint64_t rights) {
  for (const MemoryRange& range : ranges) {
    const bool mapped =
        map_direct(board.kernel_root, range.start, range.size, rights, *board.table_frames);
    REPRISE_ASSERT(mapped);
  }
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

void make_root(reprise::FrameSource& frames) {
  board.table_frames = &frames;
  const auto frame = frames.allocate();
  REPRISE_ASSERT(frame.has_value());
  board.kernel_root = *frame;
  clear_frame(board.kernel_root);
  const bool filled = fill_upper_half(board.kernel_root, frames);
  REPRISE_ASSERT(filled);
}

}  // namespace

FrameNumber x86::kernel_root() { return board.kernel_root; }

std::span<std::byte> x86::map_physical(PhysAddr start, std::size_t size, std::uint64_t rights) {
  if (!map_direct(board.kernel_root, start, size, rights, *board.table_frames)) return {};
  return physical_bytes(start, size);
}

std::span<std::byte> x86::map_device(PhysAddr start, std::size_t size, CacheMode mode) {
  return map_physical(start, size, kernel_writable | static_cast<std::uint64_t>(mode));
}

void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames) {
  require_memory(info.total_memory);
  make_root(frames);
  map_image(text_start, text_end, kernel_executable);
  map_image(rodata_start, rodata_end, kernel_readable);
  map_image(data_start, data_end, kernel_writable);
  map_memory(info.memory, kernel_writable);
  map_memory(info.modules, kernel_readable);
  set_control_registers();
  write_cr3(address_of(board.kernel_root).value());
  write_cr4(read_cr4() | Cr4::Pge);  // from here on nothing of the boot tables is left
}

}  // namespace arch
