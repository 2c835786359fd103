// What a program can ask about itself and the machine: the user is root, there is one process and
// one processor. Root is the only user there is, as in a Linux user namespace that maps nobody
// else: to become another one is EINVAL.
#include <string_view>

#include "user/linux/calls.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

struct SystemName {  // struct utsname
  char system[65], node[65], release[65], version[65], machine[65], domain[65];
};

template <std::size_t size>
void set(char (&field)[size], std::string_view text) {
  memcpy(field, text.data(), text.size());
}

Value set_base(unsigned which, std::uint64_t address, std::uint64_t& kept) {
  if (native::set_base(which, address) < 0) return fail(Errno::NotPermitted);
  kept = address;
  return 0;
}

Value refuse_id() {
  static constinit Once said{};
  if (said.first()) Line() << "users and groups other than root are refused: EINVAL";
  return fail(Errno::Invalid);
}

Value check_ids(const Call& call, unsigned count) {
  constexpr auto unchanged = static_cast<std::uint32_t>(-1);
  for (unsigned i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint32_t>(call.argument[i]);
    const bool keeps = id == unchanged && count > 1;
    if (id != 0 && !keeps) return refuse_id();
  }
  return 0;
}

}  // namespace

Value call_zero(Call&) { return 0; }
Value call_getpid(Call&) { return static_cast<Value>(process_number()); }
Value call_getppid(Call&) { return 0; }

Value call_getresid(Call& call) {
  constexpr std::uint32_t root = 0;
  for (unsigned i = 0; i < 3; ++i) {
    if (!write_user(call.user(i), root)) return fail(Errno::Fault);
  }
  return 0;
}

Value call_getgroups(Call& call) {
  const int room = call.integer(0);
  const auto count = static_cast<int>(process().groups);
  if (room < 0 || (room != 0 && room < count)) return fail(Errno::Invalid);
  if (room == 0) return count;
  const bool written = clear_user(call.user(1), process().groups * sizeof(std::uint32_t));
  return written ? count : fail(Errno::Fault);
}

// setuid, setgid, setreuid, setregid, setresuid, setresgid: all of the numbers given must be
// root's, or -1, which leaves one as it is.
Value call_set_one_id(Call& call) { return check_ids(call, 1); }
Value call_set_two_ids(Call& call) { return check_ids(call, 2); }
Value call_set_three_ids(Call& call) { return check_ids(call, 3); }

// Answers with the number before the call, and has no errors.
Value call_set_file_id(Call& call) {
  if (static_cast<std::uint32_t>(call.argument[0]) != 0) static_cast<void>(check_ids(call, 1));
  return 0;
}

Value call_setgroups(Call& call) {
  constexpr std::uint64_t most = 65536;
  const std::uint64_t count = call.argument[0] & 0xffffffff;
  if (count > most) return fail(Errno::Invalid);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint32_t group = 0;
    if (!read_user(call.user(1) + i * sizeof group, group)) return fail(Errno::Fault);
    if (group != 0) return refuse_id();
  }
  process().groups = static_cast<std::uint32_t>(count);
  return 0;
}

Value call_uname(Call& call) {
  SystemName name{};
  set(name.system, "Linux");
  set(name.node, "reprise");
  set(name.release, "6.1.0-reprise");
  set(name.version, "#1 Reprise");
  set(name.machine, "x86_64");
  set(name.domain, "(none)");
  return write_user(call.user(0), name) ? 0 : fail(Errno::Fault);
}

Value call_prctl(Call& call) {
  enum {
    SetDeathSignal = 1,
    GetDumpable = 3,
    SetDumpable = 4,
    SetName = 15,
    GetName = 16,
    SetNoNewPrivileges = 38,
    GetNoNewPrivileges = 39
  };
  Process& self = process();
  switch (call.integer(0)) {
    case SetName: {
      const auto length =
          user_string(self.name, reinterpret_cast<const char*>(call.argument[1]), 15);
      self.name[15] = '\0';
      return length < 0 ? fail(Errno::Fault) : 0;
    }
    case GetName: return write_user(call.user(1), self.name) ? 0 : fail(Errno::Fault);
    case GetDumpable: return self.not_dumpable ? 0 : 1;
    case SetDumpable:
      if (call.argument[1] > 1) return fail(Errno::Invalid);
      self.not_dumpable = call.argument[1] == 0;
      return 0;
    case SetDeathSignal: return 0;  // no parent can end
    case SetNoNewPrivileges:
      if (call.argument[1] != 1) return fail(Errno::Invalid);
      self.no_new_privileges = true;
      return 0;
    case GetNoNewPrivileges: return self.no_new_privileges ? 1 : 0;
    default: return fail(Errno::Invalid);
  }
}

Value call_arch_prctl(Call& call) {
  enum { SetGs = 0x1001, SetFs = 0x1002, GetFs = 0x1003, GetGs = 0x1004 };
  Process& self = process();
  switch (call.integer(0)) {
    case SetFs: return set_base(REPRISE_BASE_FS, call.argument[1], self.fs_base);
    case SetGs: return set_base(REPRISE_BASE_GS, call.argument[1], self.gs_base);
    case GetFs: return write_user(call.user(1), self.fs_base) ? 0 : fail(Errno::Fault);
    case GetGs: return write_user(call.user(1), self.gs_base) ? 0 : fail(Errno::Fault);
    default: return fail(Errno::Invalid);  // glibc asks for shadow stacks; there are none
  }
}

Value call_getcpu(Call& call) {
  constexpr std::uint32_t first = 0;
  for (unsigned i = 0; i < 2; ++i) {
    if (!call.user(i).is_null() && !write_user(call.user(i), first)) return fail(Errno::Fault);
  }
  return 0;
}

Value call_sched_yield(Call&) {
  native::yield();
  return 0;
}

Value call_sched_getaffinity(Call& call) {
  constexpr std::uint64_t one_processor = 1;
  if (call.argument[1] < 8 || call.argument[1] % 8 != 0) return fail(Errno::Invalid);
  return write_user(call.user(2), one_processor) ? 8 : fail(Errno::Fault);
}

}  // namespace personality
