// Calls into the QEMU binary; see qemu_machine.hpp. The declarations repeat those of QEMU 7.2's own
// headers in the types of the C ABI.
#include "qemu_machine.hpp"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

#include "../pmu_plugin/qemu_api.hpp"

namespace qemu {
namespace {

struct Cpu;  // CPUState, which begins with an Object

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

constexpr std::int64_t kMajor = 7, kMinor = 2;
constexpr int kVirtualClock = 1;   // QEMU_CLOCK_VIRTUAL
constexpr int kNanoseconds = 1;    // SCALE_NS
constexpr int kPreciseIcount = 1;  // -icount shift=N, as opposed to shift=auto
constexpr int kCs = 18;            // the gdb stub's number
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint32_t kWrites = 2;  // QEMU_PLUGIN_MEM_W, in bits 16 and 17 of an access

// QEMUTimer has 48 bytes in QEMU 7.2.
using TimerStorage = std::array<std::uint64_t, 32>;

struct Functions {
  VersionInfo* (*qmp_query_version)(void** error);
  Cpu* (*qemu_get_cpu)(int index);
  int (*x86_cpu_gdb_read_register)(Cpu*, ByteArray*, int);
  int (*x86_cpu_gdb_write_register)(Cpu*, std::uint8_t*, int);
  int (*cpu_memory_rw_debug)(Cpu*, std::uint64_t, void*, std::uint64_t, bool is_write);
  void (*cpu_physical_memory_rw)(std::uint64_t, void*, std::uint64_t, bool is_write);
  bool (*cpu_physical_memory_is_io)(std::uint64_t);
  std::uint64_t (*x86_cpu_get_phys_page_attrs_debug)(Cpu*, std::uint64_t, void* attributes);
  void (*x86_cpu_dump_state)(Cpu*, std::FILE*, int flags);
  void (*tb_flush)(Cpu*);
  void (*async_run_on_cpu)(Cpu*, void (*)(Cpu*, std::uint64_t), std::uint64_t);
  std::int64_t (*qemu_clock_get_ns)(int clock);
  void (*timer_init_full)(TimerStorage*, void* group, int clock, int scale, int attributes,
                          void (*)(void*), void*);
  void (*timer_mod_ns)(TimerStorage*, std::int64_t);
  const char* (*object_get_typename)(Cpu*);
  std::size_t (*object_type_get_instance_size)(const char*);
  ByteArray* (*g_byte_array_new)();
  ByteArray* (*g_byte_array_set_size)(ByteArray*, unsigned);
  const bool* tcg_allowed;
  const int* use_icount;
};

Functions api;
Cpu* cpu;
ByteArray* bytes;
std::uint8_t* vectors;      // XMM0 in the CPU's structure; null: not looked for yet
std::size_t vector_stride;  // from one vector register to the next

struct Work {
  TimerStorage timer;
  void (*work)();
};
std::array<Work, 2> timers;

template <typename Pointer>
bool find(Pointer& target, const char* name) {
  target = reinterpret_cast<Pointer>(dlsym(RTLD_DEFAULT, name));
  if (target == nullptr) std::fprintf(stderr, "fault_plugin: this QEMU does not export %s\n", name);
  return target != nullptr;
}

bool find_all() {
  bool all = find(api.qmp_query_version, "qmp_query_version");
  all &= find(api.qemu_get_cpu, "qemu_get_cpu");
  all &= find(api.x86_cpu_gdb_read_register, "x86_cpu_gdb_read_register");
  all &= find(api.x86_cpu_gdb_write_register, "x86_cpu_gdb_write_register");
  all &= find(api.cpu_memory_rw_debug, "cpu_memory_rw_debug");
  all &= find(api.cpu_physical_memory_rw, "cpu_physical_memory_rw");
  all &= find(api.cpu_physical_memory_is_io, "cpu_physical_memory_is_io");
  all &= find(api.x86_cpu_get_phys_page_attrs_debug, "x86_cpu_get_phys_page_attrs_debug");
  all &= find(api.x86_cpu_dump_state, "x86_cpu_dump_state");
  all &= find(api.tb_flush, "tb_flush");
  all &= find(api.async_run_on_cpu, "async_run_on_cpu");
  all &= find(api.qemu_clock_get_ns, "qemu_clock_get_ns");
  all &= find(api.timer_init_full, "timer_init_full");
  all &= find(api.timer_mod_ns, "timer_mod_ns");
  all &= find(api.object_get_typename, "object_get_typename");
  all &= find(api.object_type_get_instance_size, "object_type_get_instance_size");
  all &= find(api.g_byte_array_new, "g_byte_array_new");
  all &= find(api.g_byte_array_set_size, "g_byte_array_set_size");
  all &= find(api.tcg_allowed, "tcg_allowed");
  all &= find(api.use_icount, "use_icount");
  return all;
}

// The stub's own view of one register, at most two words.
fault::Words stub_read(int number) {
  api.g_byte_array_set_size(bytes, 0);
  api.x86_cpu_gdb_read_register(cpu, bytes, number);
  fault::Words value{};
  std::memcpy(value.data(), bytes->data, bytes->length < 16 ? bytes->length : 16);
  return value;
}

void stub_write(int number, fault::Words value) {
  api.x86_cpu_gdb_write_register(cpu, reinterpret_cast<std::uint8_t*>(value.data()), number);
}

// Where in the CPU's structure these 16 bytes stand; null unless it is exactly one place.
std::uint8_t* only_place_of(const fault::Words& pattern) {
  auto* begin = reinterpret_cast<std::uint8_t*>(cpu);
  const std::size_t size = api.object_type_get_instance_size(api.object_get_typename(cpu));
  std::uint8_t* found = nullptr;
  for (std::size_t at = 0; at + 16 <= size; at += 8) {
    if (std::memcmp(begin + at, pattern.data(), 16) != 0) continue;
    if (found != nullptr) return nullptr;
    found = begin + at;
  }
  return found;
}

// The stub of QEMU 7.2 knows the lower half of a YMM register only. Patterns written to XMM0 and
// XMM1 show where the vector registers stand; the upper half follows the lower one.
void find_vectors(int xmm0) {
  const fault::Words saved[] = {stub_read(xmm0), stub_read(xmm0 + 1)};
  const fault::Words patterns[] = {{0x5b1e'93c7'0d64'fa28, 0xc40f'7e39'a6d2'815b},
                                   {0x92d7'4c1f'e835'6ab0, 0x37ea'058d'b941'2c6f}};
  for (int n : {0, 1}) stub_write(xmm0 + n, patterns[n]);
  std::uint8_t* first = only_place_of(patterns[0]);
  std::uint8_t* second = only_place_of(patterns[1]);
  for (int n : {0, 1}) stub_write(xmm0 + n, saved[n]);
  if (first == nullptr || second < first + 32 || second > first + 64) {
    std::fprintf(stderr, "fault_plugin: cannot find the YMM registers in this QEMU\n");
    std::exit(1);
  }
  vectors = first;
  vector_stride = static_cast<std::size_t>(second - first);
}

std::uint8_t* whole_vector(const fault::Register& which) {
  if (vectors == nullptr) find_vectors(which.target.number);
  return vectors + which.vector * vector_stride;
}

bool is_whole_vector(const fault::Register& which) { return which.target.bits == 256; }

// The base and limit of one of them in QEMU's own table of registers: "IDT=     base limit", and of
// the task register a selector before them.
Structure structure_in(const std::string& table, const char* name, int numbers_before) {
  const std::size_t place = table.find(name);
  if (place == table.npos) {
    std::fprintf(stderr, "fault_plugin: QEMU does not tell of %s\n", name);
    std::exit(1);
  }
  std::istringstream words{table.substr(table.find('=', place) + 1)};
  words >> std::hex;
  Structure found;
  for (std::uint64_t skipped = 0; numbers_before > 0; --numbers_before) words >> skipped;
  words >> found.base >> found.limit;
  return found;
}

void due(void* data) { between_blocks(static_cast<Work*>(data)->work); }

}  // namespace

bool attach() {
  if (!find_all()) return false;
  void* error = nullptr;
  const VersionTriple* version = api.qmp_query_version(&error)->qemu;
  if (version->major != kMajor || version->minor != kMinor) {
    std::fprintf(stderr,
                 "fault_plugin: this is QEMU %d.%d; the plugin uses QEMU's internals and is only "
                 "known to be right with %d.%d\n",
                 static_cast<int>(version->major), static_cast<int>(version->minor),
                 static_cast<int>(kMajor), static_cast<int>(kMinor));
    return false;
  }
  bytes = api.g_byte_array_new();
  return true;
}

bool bind_cpu() {
  if (!*api.tcg_allowed || *api.use_icount != kPreciseIcount) {
    std::fprintf(stderr, "fault_plugin: needs -accel tcg and -icount shift=0\n");
    return false;
  }
  cpu = api.qemu_get_cpu(0);
  for (Work& each : timers)
    api.timer_init_full(&each.timer, nullptr, kVirtualClock, kNanoseconds, 0, due, &each);
  return cpu != nullptr;
}

void between_blocks(void (*work)()) {
  const auto call = [](Cpu*, std::uint64_t data) { reinterpret_cast<void (*)()>(data)(); };
  api.async_run_on_cpu(cpu, call, reinterpret_cast<std::uint64_t>(work));
}

std::int64_t clock() { return api.qemu_clock_get_ns(kVirtualClock); }

void at_time(Timer timer, std::int64_t when, void (*work)()) {
  Work& each = timers[static_cast<std::size_t>(timer)];
  each.work = work;
  api.timer_mod_ns(&each.timer, when);
}

fault::Words read_register(const fault::Register& which) {
  if (!is_whole_vector(which))
    return stub_read(which.target.number + static_cast<int>(which.vector));
  fault::Words value;
  std::memcpy(value.data(), whole_vector(which), sizeof value);
  return value;
}

void write_register(const fault::Register& which, const fault::Words& value) {
  if (is_whole_vector(which)) {
    std::memcpy(whole_vector(which), value.data(), sizeof value);
  } else {
    stub_write(which.target.number + static_cast<int>(which.vector), value);
  }
}

std::uint64_t read_register(const char* name) {
  return read_register(*fault::find_register(name))[0];
}

unsigned ring() { return static_cast<unsigned>(stub_read(kCs)[0] & 3); }

bool is_memory(std::uint64_t address) { return !api.cpu_physical_memory_is_io(address); }

std::uint64_t read_memory(std::uint64_t address) {
  std::uint64_t value = 0;
  api.cpu_physical_memory_rw(address, &value, sizeof value, false);
  return value;
}

void write_memory(std::uint64_t address, std::uint64_t value) {
  api.cpu_physical_memory_rw(address, &value, sizeof value, true);
}

bool read_code(std::uint64_t address, std::span<std::uint8_t> into) {
  return api.cpu_memory_rw_debug(cpu, address, into.data(), into.size(), false) == 0;
}

std::optional<std::uint64_t> physical_of(std::uint64_t address) {
  std::uint64_t attributes[2] = {};  // MemTxAttrs has four bytes
  const std::uint64_t page =
      api.x86_cpu_get_phys_page_attrs_debug(cpu, address & ~(kPageBytes - 1), attributes);
  if (page == ~std::uint64_t{0}) return std::nullopt;
  return page + address % kPageBytes;
}

void flush_translations() { api.tb_flush(cpu); }

Place place_of(std::uint32_t access, std::uint64_t address) {
  qemu_plugin_hwaddr* place = qemu_plugin_get_hwaddr(access, address);
  if (place == nullptr) return {Place::Kind::Unknown};
  if (qemu_plugin_hwaddr_is_io(place)) return {Place::Kind::Device};
  return {Place::Kind::Memory, qemu_plugin_hwaddr_phys_addr(place)};
}

bool writes_only(std::uint32_t access) { return (access >> 16 & 3) == kWrites; }

Structures structures() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  api.x86_cpu_dump_state(cpu, stream, 0);
  std::fclose(stream);
  const std::string table{text, size};
  std::free(text);
  return {.idt = structure_in(table, "IDT=", 0),
          .gdt = structure_in(table, "GDT=", 0),
          .task = structure_in(table, "TR =", 1)};
}

}  // namespace qemu
