// A TCG plugin that counts the cache lines which second runs read: what a flush between the runs
// makes them fetch again. A second run begins where the kernel comes to the address of `begin=` and
// ends at that of `end=`. Between the two, each line (64 bytes) of the lower half, code or data,
// counts once, except those of pages that the run writes: they have frames of their own, which the
// first run has not touched. The file of `out=` has the number of runs and the sum of their lines.
// README.md says how it is used.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_set>

#include "../pmu_plugin/qemu_api.hpp"

extern "C" __attribute__((visibility("default"))) const int qemu_plugin_version = 1;

namespace {

constexpr std::uint64_t kLineBytes = 64, kPageBytes = 4096, kUpperHalf = 0xffff'8000'0000'0000;

struct Lines {
  std::string file;
  std::uint64_t begin = 0, end = 0;
  bool in_run = false;
  std::unordered_set<std::uint64_t> used, written;  // lines and pages, in the run under way
  std::uint64_t runs = 0, sum = 0;

  void use(std::uint64_t address, std::uint64_t bytes) {
    if (!in_run || address >= kUpperHalf) return;
    used.insert(address / kLineBytes);
    used.insert((address + bytes - 1) / kLineBytes);
  }

  void write(std::uint64_t address, std::uint64_t bytes) {
    if (!in_run || address >= kUpperHalf) return;
    written.insert(address / kPageBytes);
    written.insert((address + bytes - 1) / kPageBytes);
  }

  void begin_run() {
    in_run = true;
    used.clear();
    written.clear();
  }

  void end_run() {
    if (!in_run) return;
    in_run = false;
    ++runs;
    for (const std::uint64_t line : used) {
      if (!written.contains(line * kLineBytes / kPageBytes)) ++sum;
    }
  }
};

Lines* lines;

void on_begin(unsigned, void*) { lines->begin_run(); }
void on_end(unsigned, void*) { lines->end_run(); }

void on_fetch(unsigned, void* address) { lines->use(reinterpret_cast<std::uint64_t>(address), 1); }

void on_access(unsigned, std::uint32_t access, std::uint64_t address, void*) {
  const std::uint64_t bytes = std::uint64_t{1} << qemu_plugin_mem_size_shift(access);
  lines->use(address, bytes);
  if (qemu_plugin_mem_is_store(access)) lines->write(address, bytes);
}

void on_translation(PluginId, qemu_plugin_tb* block) {
  const std::size_t length = qemu_plugin_tb_n_insns(block);
  for (std::size_t i = 0; i < length; ++i) {
    qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    const auto call = [&](ExecuteCallback callback, void* data) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, callback, kCallbackWithoutRegisters,
                                             data);
    };
    if (address == lines->begin) call(on_begin, nullptr);
    if (address == lines->end) call(on_end, nullptr);
    if (address >= kUpperHalf) continue;
    call(on_fetch, reinterpret_cast<void*>(address));
    qemu_plugin_register_vcpu_mem_cb(instruction, on_access, kCallbackWithoutRegisters,
                                     kReadsAndWrites, nullptr);
  }
}

void on_exit(PluginId, void*) {
  std::FILE* const out = std::fopen(lines->file.c_str(), "w");
  if (out == nullptr) {
    std::perror(lines->file.c_str());
    return;
  }
  std::fprintf(out, "runs %llu\nlines %llu\n", static_cast<unsigned long long>(lines->runs),
               static_cast<unsigned long long>(lines->sum));
  std::fclose(out);
}

bool take(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = argument.substr(0, equals), value = argument.substr(equals + 1);
  if (name == "out") {
    lines->file = value;
    return true;
  }
  if (name != "begin" && name != "end") return false;
  std::uint64_t& address = name == "begin" ? lines->begin : lines->end;
  const auto [rest, error] =
      std::from_chars(value.data(), value.data() + value.size(), address, 16);
  return error == std::errc{} && rest == value.data() + value.size();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(PluginId id,
                                                                          const QemuInfo* info,
                                                                          int count, char** texts) {
  if (!info->system_emulation || info->system.max_vcpus > 1) {
    std::fprintf(stderr, "line_count: needs qemu-system-x86_64 with one CPU\n");
    return 1;
  }
  lines = new Lines;
  bool good = true;
  for (int i = 0; i < count; ++i) good = take(texts[i]) && good;
  if (!good || lines->file.empty() || lines->begin == 0 || lines->end == 0) {
    std::fprintf(
        stderr, "line_count: the arguments are out=FILE,begin=ADDRESS,end=ADDRESS (hexadecimal)\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}
