// The part of QEMU's public TCG plugin interface (version 1) that the plugins here use. It is
// declared here because Debian ships no header for it. The definitions are in the QEMU binary that
// loads the plugin. The interface fixes the layout of QemuInfo, so no field of it may move.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

using PluginId = std::uint64_t;
struct qemu_plugin_tb;      // a translation block while it is being translated
struct qemu_plugin_insn;    // one instruction of it
struct qemu_plugin_hwaddr;  // where an access went

struct QemuInfo {
  const char* target_name;
  struct {
    int min;
    int cur;
  } version;  // of the plugin interface
  bool system_emulation;
  struct {
    int smp_vcpus;
    int max_vcpus;
  } system;  // in QEMU's header the only member of a union
};

inline constexpr int kCallbackWithoutRegisters = 0;  // QEMU_PLUGIN_CB_NO_REGS
inline constexpr int kInlineAdd64 = 0;               // QEMU_PLUGIN_INLINE_ADD_U64
inline constexpr int kReadsAndWrites = 3;            // QEMU_PLUGIN_MEM_RW

using VcpuCallback = void (*)(PluginId, unsigned vcpu);
using TranslateCallback = void (*)(PluginId, qemu_plugin_tb*);
using ExecuteCallback = void (*)(unsigned vcpu, void* data);
// `access` says what kind it was; qemu_plugin_mem_size_shift() and the next one take it apart.
using MemoryCallback = void (*)(unsigned vcpu, std::uint32_t access, std::uint64_t address,
                                void* data);
using PlainCallback = void (*)(PluginId);
using DataCallback = void (*)(PluginId, void* data);

void qemu_plugin_register_vcpu_init_cb(PluginId, VcpuCallback);
void qemu_plugin_register_vcpu_idle_cb(PluginId, VcpuCallback);
void qemu_plugin_register_vcpu_tb_trans_cb(PluginId, TranslateCallback);
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb*, ExecuteCallback, int flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, ExecuteCallback, int flags,
                                            void* data);
void qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_insn*, int operation, void* target,
                                                std::uint64_t amount);
void qemu_plugin_register_vcpu_mem_cb(qemu_plugin_insn*, MemoryCallback, int flags, int accesses,
                                      void* data);
void qemu_plugin_register_flush_cb(PluginId, PlainCallback);
void qemu_plugin_register_atexit_cb(PluginId, DataCallback, void* data);

unsigned qemu_plugin_mem_size_shift(std::uint32_t access);  // log2 of its bytes
bool qemu_plugin_mem_is_store(std::uint32_t access);

// For callbacks of memory accesses; null when the TLB does not have the address.
qemu_plugin_hwaddr* qemu_plugin_get_hwaddr(std::uint32_t access, std::uint64_t address);
bool qemu_plugin_hwaddr_is_io(const qemu_plugin_hwaddr*);
std::uint64_t qemu_plugin_hwaddr_phys_addr(const qemu_plugin_hwaddr*);

std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t index);
const void* qemu_plugin_insn_data(const qemu_plugin_insn*);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn*);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn*);

}  // extern "C"
