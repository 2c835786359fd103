// The plugin itself: joins QEMU's translation blocks (retirement.hpp) to the PMU's registers
// (pmu_model.hpp) and raises the interrupt. README.md says what is modelled and how to use it.
//
// WRMSR and RDMSR run in QEMU first, which ignores the PMU's MSRs and reads them as 0. At the next
// instruction all guest registers are in memory, and only those that RDMSR writes have changed.
// There the model takes the written value, or puts the right one into EAX and EDX.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string_view>

#include "arguments.hpp"
#include "pmu_model.hpp"
#include "qemu_api.hpp"
#include "qemu_internals.hpp"
#include "retirement.hpp"

// The version of the interface that qemu_api.hpp declares. QEMU looks for this symbol.
extern "C" __attribute__((visibility("default"))) const int qemu_plugin_version = 1;

namespace {

using pmu::Kind;
using qemu::Register;

struct Plugin {
  explicit Plugin(const pmu::Arguments& given)
      : arguments{given}, counter{given.width}, retirement{given.gain}, random{given.seed} {}

  pmu::Arguments arguments;
  pmu::FixedCounter counter;
  pmu::Retirement retirement;
  std::deque<pmu::Block> blocks;
  std::uint64_t random;                    // state of next_random()
  std::uint64_t deliver_at = pmu::kNever;  // steps after which the interrupt comes
  Kind pending = Kind::Plain;              // an MSR access that QEMU has done and the model has not
  bool work_queued = false;
  bool refused = false;      // LVTPC was masked when the interrupt came
  bool undelivered = false;  // QEMU has the interrupt; no block of the kernel has run since

  std::uint64_t overflows = 0, interrupts = 0, refusals = 0, skid_most = 0, skid_total = 0;
};

Plugin* plugin;

// SplitMix64.
std::uint64_t next_random() {
  std::uint64_t z = plugin->random += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// Reads the counter. If an overflow asks for an interrupt, sets the interrupt's time.
void look_at_counter() {
  const pmu::Retired now = plugin->retirement.now();
  if (!plugin->counter.overflowed(now)) return;
  ++plugin->overflows;
  const pmu::Arguments& given = plugin->arguments;
  const bool calm = given.delay == 0 || plugin->interrupts < given.calm;
  const std::uint64_t delay = calm ? 0 : next_random() % (given.delay + 1);
  plugin->deliver_at = plugin->retirement.steps() + delay;
}

// Leaves out an interrupt that was refused at first: the guest itself made it late.
void note_skid() {
  const std::uint64_t events = plugin->counter.events(plugin->retirement.now());
  if (plugin->counter.wraps_at() == pmu::kNever || events < plugin->counter.last_wrap()) return;
  const std::uint64_t skid = events - plugin->counter.last_wrap();
  plugin->skid_total += skid;
  if (skid > plugin->skid_most) plugin->skid_most = skid;
}

// Delivers through LVTPC, which the local APIC masks at delivery (Intel SDM Vol. 3A §11.5.1).
void raise_interrupt() {
  qemu::LvtEntry entry = qemu::read_lvtpc();
  if (plugin->arguments.trace)
    std::fprintf(stderr, "pmu_plugin: interrupt, LVTPC %05x\n", entry.raw);
  const bool in_time = plugin->deliver_at != pmu::kNever;
  plugin->deliver_at = pmu::kNever;
  plugin->refused = entry.masked() && plugin->arguments.stale;
  if (entry.masked()) {
    ++plugin->refusals;
    return;
  }
  ++plugin->interrupts;
  if (in_time) note_skid();
  qemu::deliver(entry);
  plugin->undelivered = true;
  entry.raw |= qemu::LvtEntry::kMasked;
  qemu::write_lvtpc(entry);
}

// Runs between two blocks.
void work() {
  plugin->work_queued = false;
  plugin->retirement.stands_at(qemu::current_ring(), qemu::read_register(Register::Rip));
  look_at_counter();
  const bool due = plugin->retirement.steps() >= plugin->deliver_at;
  const bool again = plugin->refused && plugin->counter.status_pending() &&
                     qemu::current_ring() != 0 && !qemu::read_lvtpc().masked();
  if (due || again) raise_interrupt();
}

void queue_work() {
  if (plugin->work_queued) return;
  plugin->work_queued = true;
  qemu::later(work);
}

void write_msr(std::uint32_t msr, pmu::Retired now) {
  const std::uint64_t value =
      read_register(Register::Rdx) << 32 | static_cast<std::uint32_t>(read_register(Register::Rax));
  const unsigned faulty = plugin->counter.faulty_writes();
  if (!plugin->counter.write(msr, value, now)) return;
  const bool is_faulty = plugin->counter.faulty_writes() != faulty;
  if (!plugin->counter.status_pending()) plugin->refused = false;
  if (plugin->arguments.trace || (is_faulty && faulty == 0)) {
    std::fprintf(stderr, "pmu_plugin: WRMSR %xh, %016llx%s\n", msr,
                 static_cast<unsigned long long>(value),
                 is_faulty ? ": a real machine would raise #GP (said once)" : "");
  }
}

void read_msr(std::uint32_t msr, pmu::Retired now) {
  const auto value = plugin->counter.read(msr, now);
  if (!value.has_value()) return;
  write_register(Register::Rax, static_cast<std::uint32_t>(*value));
  write_register(Register::Rdx, *value >> 32);
  if (plugin->arguments.trace) {
    std::fprintf(stderr, "pmu_plugin: RDMSR %xh, %016llx\n", msr,
                 static_cast<unsigned long long>(*value));
  }
}

void finish_msr_access() {
  const Kind access = plugin->pending;
  plugin->pending = Kind::Plain;
  look_at_counter();
  const auto msr = static_cast<std::uint32_t>(read_register(Register::Rcx));
  const pmu::Retired now = plugin->retirement.now();
  if (access == Kind::WriteMsr) {
    write_msr(msr, now);
  } else {
    read_msr(msr, now);
  }
}

// The callbacks in translated code.

void before_block(unsigned, void* data) {
  const auto& block = *static_cast<const pmu::Block*>(data);
  const bool entered_user = plugin->retirement.enter(block);
  if (plugin->pending != Kind::Plain) [[unlikely]]
    finish_msr_access();
  const pmu::Retired now = plugin->retirement.now();
  const pmu::FixedCounter& counter = plugin->counter;
  // Work that is queued now is done when this block has ended, so this looks at the state at that
  // time.
  const bool counts = block.ring != 0 ? counter.counts_user() : counter.counts_kernel();
  const bool wraps = counter.events(now) + (counts ? block.sure : 0) >= counter.wraps_at();
  const bool due = plugin->retirement.steps() + block.instructions.size() >= plugin->deliver_at;
  const bool again = entered_user && plugin->refused;
  // The CPU stops behind each block, until nothing that came meanwhile is served before it.
  if (block.ring == 0) plugin->undelivered = false;
  if (wraps || due || again || plugin->undelivered) [[unlikely]]
    queue_work();
}

void after_msr_read(unsigned, void*) {
  if (plugin->pending != Kind::Plain) finish_msr_access();
}

void at_msr_access(unsigned, void* data) {
  plugin->pending = static_cast<Kind>(reinterpret_cast<std::uintptr_t>(data));
}

void instrument(qemu_plugin_insn* code, const pmu::Instruction& instruction, Kind previous,
                unsigned ring) {
  if (previous == Kind::ReadMsr) {
    qemu_plugin_register_vcpu_insn_exec_cb(code, after_msr_read, kCallbackWithoutRegisters,
                                           nullptr);
  }
  qemu_plugin_register_vcpu_insn_exec_inline(code, kInlineAdd64, plugin->retirement.started(ring),
                                             1);
  if (instruction.kind == Kind::ReadMsr || instruction.kind == Kind::WriteMsr) {
    void* kind = reinterpret_cast<void*>(static_cast<std::uintptr_t>(instruction.kind));
    qemu_plugin_register_vcpu_insn_exec_cb(code, at_msr_access, kCallbackWithoutRegisters, kind);
  }
}

// A block runs only at the CPL at which it was translated, because TCG's key contains the CPL.
void on_translation(PluginId, qemu_plugin_tb* code) {
  pmu::Block& block = plugin->blocks.emplace_back();
  block.ring = qemu::current_ring();
  Kind previous = Kind::Plain;
  const std::size_t count = qemu_plugin_tb_n_insns(code);
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(code, i);
    const auto* bytes = static_cast<const std::uint8_t*>(qemu_plugin_insn_data(insn));
    const std::size_t size = qemu_plugin_insn_size(insn);
    const Kind kind = pmu::classify({bytes, size});
    block.instructions.push_back(
        {qemu_plugin_insn_vaddr(insn), static_cast<std::uint16_t>(size), kind});
    instrument(insn, block.instructions.back(), previous, block.ring);
    previous = kind;
  }
  block.address = block.instructions.front().address;
  block.sure = static_cast<unsigned>(count) - (previous == Kind::Repeat ? 1 : 0);
  qemu_plugin_register_vcpu_tb_exec_cb(code, before_block, kCallbackWithoutRegisters, &block);
}

void on_flush(PluginId) {
  plugin->retirement.blocks_vanish();
  plugin->blocks.clear();
}

// The rest of QEMU's events.

void on_machine_reset() {
  plugin->counter.reset();
  plugin->deliver_at = pmu::kNever;
  plugin->refused = false;
  plugin->undelivered = false;
  plugin->pending = Kind::Plain;
}

void on_cpu(PluginId, unsigned vcpu) {
  if (vcpu != 0) {
    std::fprintf(stderr, "pmu_plugin: models one CPU only (-smp 1)\n");
    std::exit(1);
  }
  if (!qemu::bind_cpu()) std::exit(1);
  qemu::on_reset(on_machine_reset);
}

// A delay counts instructions; a halted CPU runs none.
void on_idle(PluginId, unsigned) {
  if (plugin->deliver_at == pmu::kNever) return;
  plugin->deliver_at = 0;
  queue_work();
}

void on_exit(PluginId, void*) {
  if (!plugin->arguments.report) return;
  const pmu::Retired now = plugin->retirement.now();
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::fprintf(stderr,
               "pmu_plugin: user=%llu kernel=%llu overflows=%llu interrupts=%llu refused=%llu "
               "skid.most=%llu skid.total=%llu faulty-writes=%u\n",
               number(now.user), number(now.kernel), number(plugin->overflows),
               number(plugin->interrupts), number(plugin->refusals), number(plugin->skid_most),
               number(plugin->skid_total), plugin->counter.faulty_writes());
}

bool fits(const QemuInfo& info) {
  const std::string_view target = info.target_name;
  if (target != "x86_64" || !info.system_emulation) {
    std::fprintf(stderr, "pmu_plugin: needs qemu-system-x86_64, this is %s\n", info.target_name);
    return false;
  }
  if (info.system.max_vcpus > 1) {
    std::fprintf(stderr, "pmu_plugin: models one CPU only (-smp 1)\n");
    return false;
  }
  return qemu::attach();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(PluginId id,
                                                                          const QemuInfo* info,
                                                                          int count, char** texts) {
  const auto arguments = pmu::parse_arguments(count, texts);
  if (!arguments.has_value() || !fits(*info)) return 1;
  plugin = new Plugin{*arguments};  // lives as long as QEMU
  qemu_plugin_register_vcpu_init_cb(id, on_cpu);
  qemu_plugin_register_vcpu_idle_cb(id, on_idle);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_flush_cb(id, on_flush);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}
