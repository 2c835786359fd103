// Calls into the QEMU binary; see qemu_internals.hpp. The declarations below repeat those of QEMU
// 7.2's own headers in the types of the C ABI.
#include "qemu_internals.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

namespace qemu {
namespace {

struct Cpu;  // CPUState

struct ByteArray {  // GByteArray of GLib
  std::uint8_t* data;
  unsigned length;
};

struct VersionTriple {
  std::int64_t major, minor, micro;
};
struct VersionInfo {
  VersionTriple* qemu;
  char* package;
};

constexpr std::int64_t kMajor = 7;
constexpr std::int64_t kMinor = 2;

constexpr std::uint64_t kApicBase = 0xfee00000;
constexpr std::uint64_t kApicId = kApicBase + 0x20;
constexpr std::uint64_t kApicLvtpc = kApicBase + 0x340;

struct Functions {
  VersionInfo* (*qmp_query_version)(void** error);
  Cpu* (*qemu_get_cpu)(int index);
  int (*x86_cpu_gdb_read_register)(Cpu*, ByteArray*, int);
  int (*x86_cpu_gdb_write_register)(Cpu*, std::uint8_t*, int);
  int (*cpu_memory_rw_debug)(Cpu*, std::uint64_t, void*, std::uint64_t, bool is_write);
  void (*cpu_physical_memory_rw)(std::uint64_t, void*, std::uint64_t, bool is_write);
  void (*async_run_on_cpu)(Cpu*, void (*)(Cpu*, std::uint64_t), std::uint64_t);
  void (*apic_deliver_irq)(std::uint8_t dest, std::uint8_t dest_mode, std::uint8_t delivery_mode,
                           std::uint8_t vector, std::uint8_t trigger_mode);
  void (*qemu_register_reset)(void (*)(void*), void*);
  ByteArray* (*g_byte_array_new)();
  ByteArray* (*g_byte_array_set_size)(ByteArray*, unsigned);
  const bool* tcg_allowed;
};

Functions api;
Cpu* cpu;
ByteArray* bytes;

template <typename Pointer>
bool find(Pointer& target, const char* name) {
  target = reinterpret_cast<Pointer>(dlsym(RTLD_DEFAULT, name));
  if (target == nullptr) std::fprintf(stderr, "pmu_plugin: this QEMU does not export %s\n", name);
  return target != nullptr;
}

bool find_all() {
  bool all = find(api.qmp_query_version, "qmp_query_version");
  all &= find(api.qemu_get_cpu, "qemu_get_cpu");
  all &= find(api.x86_cpu_gdb_read_register, "x86_cpu_gdb_read_register");
  all &= find(api.x86_cpu_gdb_write_register, "x86_cpu_gdb_write_register");
  all &= find(api.cpu_memory_rw_debug, "cpu_memory_rw_debug");
  all &= find(api.cpu_physical_memory_rw, "cpu_physical_memory_rw");
  all &= find(api.async_run_on_cpu, "async_run_on_cpu");
  all &= find(api.apic_deliver_irq, "apic_deliver_irq");
  all &= find(api.qemu_register_reset, "qemu_register_reset");
  all &= find(api.g_byte_array_new, "g_byte_array_new");
  all &= find(api.g_byte_array_set_size, "g_byte_array_set_size");
  all &= find(api.tcg_allowed, "tcg_allowed");
  return all;
}

std::uint32_t read_apic(std::uint64_t address) {
  std::uint32_t value = 0;
  api.cpu_physical_memory_rw(address, &value, sizeof value, false);
  return value;
}

}  // namespace

bool attach() {
  if (!find_all()) return false;
  void* error = nullptr;
  const VersionInfo* version = api.qmp_query_version(&error);
  if (version->qemu->major != kMajor || version->qemu->minor != kMinor) {
    std::fprintf(stderr,
                 "pmu_plugin: this is QEMU %d.%d.%d; the plugin uses QEMU's internals and is "
                 "only known to be right with %d.%d\n",
                 static_cast<int>(version->qemu->major), static_cast<int>(version->qemu->minor),
                 static_cast<int>(version->qemu->micro), static_cast<int>(kMajor),
                 static_cast<int>(kMinor));
    return false;
  }
  bytes = api.g_byte_array_new();
  return true;
}

bool bind_cpu() {
  if (!*api.tcg_allowed) {
    std::fprintf(stderr, "pmu_plugin: needs the TCG accelerator (-accel tcg)\n");
    return false;
  }
  cpu = api.qemu_get_cpu(0);
  return cpu != nullptr;
}

std::uint64_t read_register(Register which) {
  api.g_byte_array_set_size(bytes, 0);
  api.x86_cpu_gdb_read_register(cpu, bytes, static_cast<int>(which));
  std::uint64_t value = 0;
  std::memcpy(&value, bytes->data, bytes->length < sizeof value ? bytes->length : sizeof value);
  return value;
}

void write_register(Register which, std::uint64_t value) {
  std::array<std::uint8_t, sizeof value> image;
  std::memcpy(image.data(), &value, sizeof value);
  api.x86_cpu_gdb_write_register(cpu, image.data(), static_cast<int>(which));
}

// In real mode the low bits of CS mean nothing. In practice SS never has them set, too.
unsigned current_ring() {
  const std::uint64_t ring = read_register(Register::Cs) & 3;
  return ring == (read_register(Register::Ss) & 3) ? static_cast<unsigned>(ring) : 0;
}

bool read_memory(std::uint64_t address, std::span<std::uint64_t> words) {
  return api.cpu_memory_rw_debug(cpu, address, words.data(), words.size_bytes(), false) == 0;
}

void later(void (*work)()) {
  const auto call = [](Cpu*, std::uint64_t data) { reinterpret_cast<void (*)()>(data)(); };
  api.async_run_on_cpu(cpu, call, reinterpret_cast<std::uint64_t>(work));
}

void on_reset(void (*handler)()) {
  const auto call = [](void* data) { reinterpret_cast<void (*)()>(data)(); };
  api.qemu_register_reset(call, reinterpret_cast<void*>(handler));
}

LvtEntry read_lvtpc() { return {read_apic(kApicLvtpc)}; }

void write_lvtpc(LvtEntry entry) {
  api.cpu_physical_memory_rw(kApicLvtpc, &entry.raw, sizeof entry.raw, true);
}

// QEMU 7.2 serves one pending interrupt at a time. Another thread may just have asked the CPU to
// look at its APIC (CPU_INTERRUPT_POLL). Each tick of the PIT does so, masked or not. That request
// is served before an NMI, and the NMI stays pending until something else stops the CPU. Empty work
// stops it.
void deliver(LvtEntry entry) {
  constexpr std::uint8_t physical = 0;
  constexpr std::uint8_t edge = 0;
  const auto id = static_cast<std::uint8_t>(read_apic(kApicId) >> 24);
  api.apic_deliver_irq(id, physical, static_cast<std::uint8_t>(entry.mode()), entry.vector(), edge);
  later([] {});
}

}  // namespace qemu
