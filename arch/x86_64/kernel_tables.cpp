// The final kernel page tables (Intel SDM Vol. 3A §4.5): the image with each section's own rights,
// the direct map of usable memory, and nothing else. The frames of the kernel's code are not in the
// direct map, so no second, writable way leads to them. All kernel entries are global: a
// reload of CR3 drops the program's translations only.
#include "arch/x86_64/kernel_tables.hpp"

#include "arch/machine.hpp"
#include "arch/x86_64/control_registers.hpp"
#include "arch/x86_64/instructions.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/base/text_line.hpp"

// From the linker script and boot/entry.asm; only their addresses mean anything.
extern "C" const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[], kernel_stack_guard[];

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PhysAddr;

namespace {

using E = TableEntry;

constexpr std::uint64_t least_memory = 24ull << 20;
constexpr std::uint64_t readable = E::P::mask | E::G::mask | E::Xd::mask;
constexpr std::uint64_t writable = readable | E::Rw::mask;
constexpr std::uint64_t executable = E::P::mask | E::G::mask;

constinit FrameNumber root{};

std::uint64_t address(const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); }

void map_image(const char* start, const char* end, std::uint64_t rights) {
  REPRISE_ASSERT(address(start) >= reprise::kernel_base);
  for (std::uint64_t at = address(start); at < address(end); at += reprise::page_size) {
    if (at == address(kernel_stack_guard)) continue;
    kernel_entry(at, 1) = (at - reprise::kernel_base) | rights;
  }
}

// A text of the boot information, which lies outside usable memory.
void map_text(std::string_view text) {
  const auto at = reinterpret_cast<std::uint64_t>(text.data());
  if (text.empty() || at < reprise::direct_map_base || at >= reprise::kernel_base) return;
  map_direct(PhysAddr{at - reprise::direct_map_base}, text.size(), readable);
}

void map_memory(const BootInfo& info) {
  for (const MemoryRange& range : info.memory) map_direct(range.start, range.size, writable);
  for (const Module& module : info.modules) {
    map_direct(module.range.start, module.range.size, readable);
    map_text(module.string);
  }
  map_text(info.command_line);
  map_text(info.loader);
}

void require_memory(std::uint64_t bytes) {
  if (bytes >= least_memory) return;
  write_console(reprise::TextLine{"[reprise] Too little memory: ", bytes >> 20,
                                  " MiB usable, needed are ", least_memory >> 20, " MiB.\n",
                                  "reprise: error code=machine-unfit missing=memory found_bytes=",
                                  bytes, " needed_bytes=", least_memory, "\n"}
                    .view());
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace

FrameNumber x86::kernel_root() { return root; }

void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames) {
  require_memory(info.total_memory);
  take_table_frames_from(frames);
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
