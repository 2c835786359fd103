// A TCG plugin that counts the executed instructions of the upper half by address: ring 0's,
// because that half is the kernel's alone. Everything else (firmware, GRUB, ring 3) is one sum. The
// counts go to the file of `out=`, one line an address, when QEMU ends. README.md says how it is
// used.
//
// An instruction counts when it starts: one that faults counts, and a REP counts once an iteration.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

#include "../pmu_plugin/qemu_api.hpp"

// The version of the interface that the declarations are of; QEMU looks for this symbol.
extern "C" __attribute__((visibility("default"))) const int qemu_plugin_version = 1;

namespace {

using Count = std::uint64_t;

constexpr std::uint64_t kUpperHalf = 0xffff'8000'0000'0000;

struct Counts {
  std::string file;
  std::unordered_map<std::uint64_t, Count> upper;  // its values never move: QEMU keeps pointers
  Count elsewhere = 0;
};

Counts* counts;

void on_translation(PluginId, qemu_plugin_tb* block) {
  const std::size_t length = qemu_plugin_tb_n_insns(block);
  for (std::size_t i = 0; i < length; ++i) {
    qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    Count* const count = address >= kUpperHalf ? &counts->upper[address] : &counts->elsewhere;
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, kInlineAdd64, count, 1);
  }
}

void on_exit(PluginId, void*) {
  std::FILE* const out = std::fopen(counts->file.c_str(), "w");
  if (out == nullptr) {
    std::perror(counts->file.c_str());
    return;
  }
  std::fprintf(out, "elsewhere %llu\n", static_cast<unsigned long long>(counts->elsewhere));
  for (const auto& [address, count] : counts->upper) {
    std::fprintf(out, "%llx %llu\n", static_cast<unsigned long long>(address),
                 static_cast<unsigned long long>(count));
  }
  std::fclose(out);
}

bool fits(const QemuInfo& info) {
  if (std::string_view{info.target_name} != "x86_64" || !info.system_emulation) {
    std::fprintf(stderr, "instruction_count: needs qemu-system-x86_64\n");
    return false;
  }
  if (info.system.max_vcpus > 1) {
    std::fprintf(stderr, "instruction_count: counts one CPU only (-smp 1)\n");
    return false;
  }
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(PluginId id,
                                                                          const QemuInfo* info,
                                                                          int count, char** texts) {
  constexpr std::string_view kOut = "out=";
  const std::string_view argument = count == 1 ? texts[0] : "";
  if (!argument.starts_with(kOut)) {
    std::fprintf(stderr, "instruction_count: the one argument is out=FILE\n");
    return 1;
  }
  if (!fits(*info)) return 1;
  counts = new Counts{.file = std::string{argument.substr(kOut.size())}, .upper = {}};
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}
