// Joins QEMU's callbacks to the books of watches; see resolve.hpp.
#include "resolve.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <deque>
#include <optional>
#include <span>
#include <unordered_set>

#include "page_tables.hpp"
#include "qemu_machine.hpp"
#include "system_instruction.hpp"

namespace resolve {
namespace {

using fault::kPageBytes;
using fault::Watch;

constexpr std::size_t kInterruptFrameBytes = 48;  // SS to RIP, and an error code
constexpr std::size_t kGateBytes = 16;
constexpr std::uint64_t kPaging = std::uint64_t{1} << 31, kFiveLevels = 1 << 12;

// Physical bytes that do not cross a page.
struct Bytes {
  std::uint64_t first = 0;
  std::size_t size = 0;
};

// A translation block. Its code is on two pages at most.
struct Block {
  std::uint64_t address = 0;  // virtual
  std::array<Bytes, 2> code;
};

struct Resolver {
  Resolver(std::vector<Watch> given, std::int64_t clock)
      : watches{std::move(given)},
        base{clock},
        tables{{.is_there = qemu::is_memory, .read = qemu::read_memory},
               [this](std::uint64_t page) { watches.exclude(page); }} {}

  fault::Watches watches;
  std::int64_t base;
  fault::WalkedPages tables;
  std::vector<Bytes> gates;                    // the interrupt descriptor table
  std::unordered_set<std::uint64_t> handlers;  // virtual addresses that its gates name
  std::deque<Block> blocks;
};

Resolver* resolver;

// The parts of a range of virtual addresses on each page; none where nothing is mapped.
std::vector<Bytes> physical_parts(std::uint64_t address, std::size_t size) {
  std::vector<Bytes> parts;
  while (size != 0) {
    const std::size_t here = std::min<std::size_t>(size, kPageBytes - address % kPageBytes);
    if (const auto physical = qemu::physical_of(address)) parts.push_back({*physical, here});
    address += here;
    size -= here;
  }
  return parts;
}

void exclude(std::span<const Bytes> parts) {
  for (const Bytes& each : parts) resolver->watches.exclude(each.first / kPageBytes);
}

// Pages that the processor reads when it delivers an interrupt.
void read_structures() {
  const qemu::Structures found = qemu::structures();
  for (const qemu::Structure& each : {found.idt, found.gdt, found.task})
    exclude(physical_parts(each.base, each.limit + 1));
  resolver->gates = physical_parts(found.idt.base, found.idt.limit + 1);
  for (std::uint64_t at = 0; at + kGateBytes <= found.idt.limit + 1; at += kGateBytes) {
    std::array<std::uint8_t, kGateBytes> gate{};
    if (!qemu::read_code(found.idt.base + at, gate)) continue;
    std::uint64_t handler = 0;  // bytes 0 and 1, then 6 to 11 (Intel SDM volume 3A, section 6.14.1)
    for (const std::size_t byte : {11, 10, 9, 8, 7, 6, 1, 0}) handler = handler << 8 | gate[byte];
    resolver->handlers.insert(handler);
  }
}

// Between two blocks.
void follow_control_registers() {
  const bool known = (qemu::read_register("cr0") & kPaging) != 0 &&
                     (qemu::read_register("cr4") & kFiveLevels) == 0;
  if (!known) resolver->watches.exclude_all();
  resolver->tables.add_root(qemu::read_register("cr3"));
}

void begin_due() {
  const std::int64_t now = qemu::clock() - resolver->base;
  Watch machine;
  machine.begun_at = static_cast<std::uint64_t>(now);
  machine.rip = qemu::read_register("rip");
  machine.cr3 = qemu::read_register("cr3");
  machine.ring = qemu::ring();
  auto next = resolver->watches.next();
  for (; next.has_value() && static_cast<std::int64_t>(*next) <= now;
       next = resolver->watches.next())
    resolver->watches.begin_next(machine);
  if (next.has_value()) {
    const auto at = resolver->base + static_cast<std::int64_t>(*next);
    qemu::at_time(qemu::Timer::Strike, at, begin_due);
  }
}

// QEMU's callbacks.

// Its code counts as read, all of it, also where an exception ends it early.
void on_block(unsigned, void* data) {
  const Block& block = *static_cast<const Block*>(data);
  for (const Bytes& each : block.code) {
    if (each.size != 0)
      resolver->watches.access(each.first, each.size, Watch::End::Read, block.address);
  }
}

// The processor has pushed a frame, or the kernel has come here by a jump.
void on_handler(unsigned, void*) {
  const std::uint64_t rip = qemu::read_register("rip");
  for (const Bytes& each : physical_parts(qemu::read_register("rsp"), kInterruptFrameBytes))
    resolver->watches.access(each.first, each.size, Watch::End::Unseen, rip);
}

void on_bytes(Bytes bytes, bool only_written, std::uint64_t by) {
  resolver->watches.access(bytes.first, bytes.size,
                           only_written ? Watch::End::Written : Watch::End::Read, by);
  if (!only_written) return;
  resolver->tables.written(bytes.first, bytes.size);
  for (const Bytes& each : resolver->gates) {
    if (bytes.first < each.first + each.size && each.first < bytes.first + bytes.size)
      resolver->watches.exclude_all();
  }
}

void on_access(unsigned, std::uint32_t access, std::uint64_t address, void* instruction) {
  const bool only_written = qemu::writes_only(access);
  std::size_t left = std::size_t{1} << qemu_plugin_mem_size_shift(access);
  while (left != 0) {
    const std::size_t here = std::min<std::size_t>(left, kPageBytes - address % kPageBytes);
    const qemu::Place place = qemu::place_of(access, address);
    if (place.kind == qemu::Place::Kind::Unknown) resolver->watches.exclude_all();
    if (place.kind == qemu::Place::Kind::Memory)
      on_bytes({place.physical, here}, only_written, reinterpret_cast<std::uint64_t>(instruction));
    address += here;
    left -= here;
  }
}

void on_control(unsigned, void*) { qemu::between_blocks(follow_control_registers); }

void on_structures(unsigned, void*) { resolver->watches.exclude_all(); }

void watch_instruction(qemu_plugin_insn* instruction) {
  const auto address = qemu_plugin_insn_vaddr(instruction);
  // The number is not an address of this process.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* const by = reinterpret_cast<void*>(address);
  qemu_plugin_register_vcpu_mem_cb(instruction, on_access, kCallbackWithoutRegisters,
                                   kReadsAndWrites, by);
  const std::span code{static_cast<const std::uint8_t*>(qemu_plugin_insn_data(instruction)),
                       qemu_plugin_insn_size(instruction)};
  const fault::SystemInstruction kind = fault::kind_of(code);
  if (kind == fault::SystemInstruction::No) return;
  const bool control = kind == fault::SystemInstruction::Control;
  qemu_plugin_register_vcpu_insn_exec_cb(instruction, control ? on_control : on_structures,
                                         kCallbackWithoutRegisters, nullptr);
}

}  // namespace

void begin(std::vector<Watch> watches, std::int64_t base) {
  resolver = new Resolver{std::move(watches), base};  // lives as long as QEMU
  qemu::flush_translations();
  read_structures();
  follow_control_registers();
  begin_due();
}

void on_translation(qemu_plugin_tb* block) {
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  const auto address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
    size += qemu_plugin_insn_size(instruction);
    watch_instruction(instruction);
  }
  const std::vector<Bytes> parts = physical_parts(address, size);
  Block& kept = resolver->blocks.emplace_back();
  kept.address = address;
  std::copy_n(parts.begin(), std::min(parts.size(), kept.code.size()), kept.code.begin());
  qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, kCallbackWithoutRegisters, &kept);
  if (resolver->handlers.contains(address))
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_handler, kCallbackWithoutRegisters, nullptr);
}

void report(std::FILE* into) {
  if (resolver == nullptr) return;
  std::uint64_t number = 0;
  for (const Watch& each : resolver->watches.all()) {
    if (each.begun)
      std::fprintf(into,
                   "%s number=%" PRIu64 " at=%" PRIu64 " rip=0x%" PRIx64 " ring=%u cr3=0x%" PRIx64
                   " interval=%" PRIu64 " by=0x%" PRIx64 "\n",
                   fault::name_of(each.end), number, each.begun_at, each.rip, each.ring, each.cr3,
                   each.interval, each.by);
    ++number;
  }
  std::fflush(into);
}

}  // namespace resolve
