// Plays a QEMU that the plugin must refuse. FAKE_BARE lacks the symbols that the plugin uses,
// FAKE_OTHER has another version, FAKE_USER emulates a program instead of a machine. Loads the
// plugin as QEMU does and calls its entry; prints `refused` or `accepted`.
#include <dlfcn.h>

#include <cstdio>

#include "qemu_api.hpp"

#ifdef FAKE_OTHER
extern "C" {
struct Triple {
  std::int64_t major, minor, micro;
};
struct Version {
  const Triple* qemu;
  const char* package;
};
const Version* qmp_query_version(void**) {
  static const Triple triple{8, 0, 1};
  static const Version version{&triple, ""};
  return &version;
}
// Never called: the plugin refuses before that.
#define EXPORTED(name) \
  void name() {}
EXPORTED(qemu_get_cpu)
EXPORTED(x86_cpu_gdb_read_register)
EXPORTED(x86_cpu_gdb_write_register)
EXPORTED(cpu_memory_rw_debug)
EXPORTED(cpu_physical_memory_rw)
EXPORTED(async_run_on_cpu)
EXPORTED(apic_deliver_irq)
EXPORTED(qemu_register_reset)
EXPORTED(g_byte_array_new)
EXPORTED(g_byte_array_set_size)
extern const bool tcg_allowed = true;
}
#endif

int main(int, char** arguments) {
  void* plugin = dlopen(arguments[1], RTLD_LAZY | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::printf("%s\n", dlerror());
    return 2;
  }
  using Install = int (*)(PluginId, const QemuInfo*, int, char**);
  const auto install = reinterpret_cast<Install>(dlsym(plugin, "qemu_plugin_install"));
#ifdef FAKE_USER
  constexpr bool system_emulation = false;
#else
  constexpr bool system_emulation = true;
#endif
  const QemuInfo info{"x86_64", {0, 1}, system_emulation, {1, 1}};
  const bool refused = install(1, &info, 0, nullptr) != 0;
  std::fflush(stderr);
  std::printf("%s\n", refused ? "refused" : "accepted");
  return refused ? 0 : 1;
}
