// Flips bits of a machine that knows nothing of it: a plugin for QEMU's TCG. README.md says how to
// use it and what it rests on.
//
// Under -icount shift=0 QEMU's virtual clock counts executed instructions, and a timer of that
// clock ends the translation block exactly there. So nothing is counted here: when the instruction
// at the marker is executed for the first time, a timer is set. When it is due the fault strikes,
// between two blocks, when all of the guest's state is in memory.
#include <unistd.h>
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "../pmu_plugin/qemu_api.hpp"
#include "fault.hpp"
#include "page_tables.hpp"
#include "qemu_machine.hpp"
#include "resolve.hpp"

extern "C" __attribute__((visibility("default"))) const int qemu_plugin_version = 1;

namespace {

constexpr int kLimitStatus = 98;  // QEMU's exit status when the limit ended it

struct Plugin {
  fault::Arguments arguments;
  std::vector<fault::Watch> watches{};
  std::FILE* report = nullptr;
  bool marked = false;            // the marker's instruction is executed
  bool begun = false;             // the block behind it, too
  std::size_t left_of_block = 0;  // instructions from the marker to the end of its block
  std::int64_t base = 0;          // the clock before the marker's instruction
  fault::Words mask{};
  fault::Words forced{};          // a stuck bit's wrong value
  std::uint64_t table_words = 0;  // of the page tables, when the fault struck
  std::uint64_t struck = 0;
};

Plugin* plugin;

std::int64_t position() { return qemu::clock() - plugin->base; }

fault::Words read_place() {
  const fault::Arguments& given = plugin->arguments;
  if (given.register_.has_value()) return qemu::read_register(*given.register_);
  return {qemu::read_memory(given.address)};
}

void write_place(const fault::Words& value) {
  const fault::Arguments& given = plugin->arguments;
  if (given.register_.has_value()) {
    qemu::write_register(*given.register_, value);
  } else {
    qemu::write_memory(given.address, value[0]);
  }
}

// Which word of the page tables is hit is known only when the fault strikes.
void find_entry() {
  fault::Arguments& given = plugin->arguments;
  const auto tables = fault::user_tables(qemu::read_register("cr3"),
                                         {.is_there = qemu::is_memory, .read = qemu::read_memory});
  if (tables.empty()) {
    std::fprintf(stderr, "fault_plugin: CR3 does not name memory\n");
    std::exit(1);
  }
  plugin->table_words = fault::words_of(tables);
  given.address = fault::address_of(tables, given.draw);
}

void say_strike(const fault::Words& before, const fault::Words& after) {
  const unsigned word = plugin->arguments.bit / 64;
  std::fprintf(plugin->report,
               "fault at=%" PRId64 " rip=0x%" PRIx64 " ring=%u cr3=0x%" PRIx64 " before=0x%" PRIx64
               " after=0x%" PRIx64,
               position(), qemu::read_register("rip"), qemu::ring(), qemu::read_register("cr3"),
               before[word], after[word]);
  if (plugin->table_words != 0)
    std::fprintf(plugin->report, " address=0x%" PRIx64 " words=%" PRIu64, plugin->arguments.address,
                 plugin->table_words);
  std::fputc('\n', plugin->report);
  std::fflush(plugin->report);
}

// The first strike flips; a stuck bit's later ones put the wrong value back.
void strike() {
  if (plugin->struck == 0 && plugin->arguments.target == fault::kPageTables) find_entry();
  const fault::Words before = read_place();
  fault::Words after = before;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (plugin->struck == 0) plugin->forced[i] = ~before[i] & plugin->mask[i];
    after[i] = (before[i] & ~plugin->mask[i]) | plugin->forced[i];
  }
  if (plugin->struck == 0) say_strike(before, after);
  if (after != before) write_place(after);
  ++plugin->struck;
  if (plugin->struck < plugin->arguments.duration)
    qemu::at_time(qemu::Timer::Strike, qemu::clock() + 1, strike);
}

void say_end(const char* how) {
  if (plugin->marked) {
    std::fprintf(plugin->report, "%s at=%" PRId64 "\n", how, position());
  } else {
    std::fprintf(plugin->report, "%s unmarked\n", how);
  }
  std::fflush(plugin->report);
}

// At once: what the machine has said so far is written, and nothing of it may change any more.
void end_by_limit() {
  say_end("limit");
  _exit(kLimitStatus);
}

// Behind the block that has the marker's instruction.
void begin() {
  plugin->begun = true;
  plugin->base = qemu::clock() - static_cast<std::int64_t>(plugin->left_of_block);
  std::fprintf(plugin->report, "marker at=%zu\n", plugin->left_of_block);
  const fault::Arguments& given = plugin->arguments;
  if (given.target == fault::kMemory && !qemu::is_memory(given.address)) {
    std::fprintf(stderr, "fault_plugin: there is no memory at that address\n");
    std::exit(1);
  }
  if (!given.watch.empty()) resolve::begin(std::move(plugin->watches), plugin->base);
  if (given.at != 0)
    qemu::at_time(qemu::Timer::Strike, plugin->base + static_cast<std::int64_t>(given.at), strike);
  if (given.limit != 0)
    qemu::at_time(qemu::Timer::Limit, plugin->base + static_cast<std::int64_t>(given.limit),
                  end_by_limit);
}

// QEMU's callbacks.

void at_marker(unsigned, void* left_of_block) {
  if (plugin->marked) return;
  plugin->marked = true;
  plugin->left_of_block = reinterpret_cast<std::uintptr_t>(left_of_block);
  qemu::between_blocks(begin);
}

// Whether the code at the marker is that which the arguments name.
bool is_marked_code() {
  const std::vector<std::uint8_t>& wanted = plugin->arguments.code;
  std::vector<std::uint8_t> there(wanted.size());
  return wanted.empty() || (qemu::read_code(plugin->arguments.marker, there) && there == wanted);
}

void on_translation(PluginId, qemu_plugin_tb* block) {
  if (plugin->begun && !plugin->arguments.watch.empty()) resolve::on_translation(block);
  if (plugin->marked) return;
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
    if (qemu_plugin_insn_vaddr(instruction) != plugin->arguments.marker || !is_marked_code())
      continue;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_marker, kCallbackWithoutRegisters,
                                           reinterpret_cast<void*>(count - i));
  }
}

void on_cpu(PluginId, unsigned) {
  if (!qemu::bind_cpu()) std::exit(1);
}

void on_exit(PluginId, void*) {
  say_end("end");
  resolve::report(plugin->report);
}

bool fits(const QemuInfo& info) {
  const std::string_view target = info.target_name;
  const bool fitting = target == "x86_64" && info.system_emulation && info.system.max_vcpus == 1;
  if (!fitting) std::fprintf(stderr, "fault_plugin: needs qemu-system-x86_64 with -smp 1\n");
  return fitting && qemu::attach();
}

// Null, with a line on stderr: no report can be written.
std::FILE* open_report(const fault::Arguments& given) {
  std::FILE* report = std::fopen(given.report.c_str(), "w");
  if (report == nullptr) std::perror(given.report.c_str());
  return report;
}

// What is to be watched, if anything. False, with a line on stderr: it cannot be read.
bool read_list() {
  const std::string& file = plugin->arguments.watch;
  if (file.empty()) return true;
  auto found = fault::read_watches(file);
  if (!found.has_value()) {
    std::fprintf(stderr, "fault_plugin: cannot read the watches of %s\n", file.c_str());
    return false;
  }
  plugin->watches = std::move(*found);
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(PluginId id,
                                                                          const QemuInfo* info,
                                                                          int count, char** texts) {
  const auto arguments = fault::parse_arguments(count, texts);
  if (!arguments.has_value() || !fits(*info)) return 1;
  plugin = new Plugin{*arguments};  // lives as long as QEMU
  if (!read_list()) return 1;
  plugin->report = open_report(*arguments);
  if (plugin->report == nullptr) return 1;
  const unsigned bits = arguments->register_.has_value() ? arguments->register_->target.bits : 64;
  plugin->mask = fault::mask_of(arguments->model, arguments->bit, bits);
  qemu_plugin_register_vcpu_init_cb(id, on_cpu);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}
