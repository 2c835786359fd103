// See harness.hpp.
#include "harness.hpp"

namespace guest {
namespace {

u64 failed = 0;

// `key=NUMBER` in QEMU's -append.
void read_setting(const char* line, const char* key, u64& value) {
  for (; *line != 0; ++line) {
    const char* l = line;
    const char* k = key;
    while (*k != 0 && *l == *k) ++l, ++k;
    if (*k != 0 || *l != '=') continue;
    value = 0;
    while (*++l >= '0' && *l <= '9') value = value * 10 + static_cast<u64>(*l - '0');
    return;
  }
}

void begin_timer(const Want& want) {
  if (want.timer == 0) return;
  write_apic(kApicTimer, kTimer);
  write_apic(kApicCount, want.timer);
}

void serve_fault(State& state) {
  if (state.vector == kUndefined || state.vector == kDivide) state.rip += 2;
  if (state.vector != kPageFault) return;
  u64 address;
  asm volatile("mov %%cr2, %0" : "=r"(address));
  const u64 frame = map_demand_page(address);
  if (state.rip >= reinterpret_cast<u64>(jump_faulting) &&
      state.rip < reinterpret_cast<u64>(jump_faulting_target))
    *reinterpret_cast<u64*>(frame) = reinterpret_cast<u64>(jump_faulting_target);
}

void note_pmi(Run& run) {
  ++run.pmis;
  run.status = read_msr(kStatus);
  run.lvtpc = read_apic(kApicLvtpc);
}

}  // namespace

Settings settings;

void read_settings(u64 multiboot) {
  const char* line = reinterpret_cast<const char*>(u64{*reinterpret_cast<u32*>(multiboot + 16)});
  read_setting(line, "width", settings.width);
  read_setting(line, "delay", settings.delay);
  read_setting(line, "gain", settings.gain);
  read_setting(line, "stale", settings.stale);
  read_setting(line, "single", settings.single);
  read_setting(line, "loops", settings.loops);
  read_setting(line, "program", settings.program);
}

u64 failures() { return failed; }

void check(const char* name, bool good, u64 seen, u64 expected) {
  print(good ? "ok " : "FAIL ");
  print(name);
  if (!good) {
    print(": seen ");
    print(seen);
    print(", expected ");
    print(expected);
    ++failed;
  }
  print("\n");
}
void check_equal(const char* name, u64 seen, u64 expected) {
  check(name, seen == expected, seen, expected);
}
void check_most(const char* name, u64 seen, u64 most) { check(name, seen <= most, seen, most); }

void start_counter(u64 value, u64 control, u32 lvt) {
  write_msr(kGlobal, 0);
  write_msr(kControl, control);
  write_msr(kCounter, value & settings.mask());
  write_msr(kClear, kFixed0);
  write_apic(kApicLvtpc, lvt);
  write_msr(kGlobal, kFixed0);
}
u64 stop_counter() {
  write_msr(kGlobal, 0);
  return read_msr(kCounter);
}

Run run(State& state, const Want& want) {
  Run result;
  state.rcx = want.length;
  if (want.single_step) state.rflags |= kTrapFlag;
  begin_timer(want);
  u64 before = read_msr(kCounter);
  for (;;) {
    run_user(&state);
    if (state.vector != kSyscall) ++result.entries;
    if (state.vector == kDone) break;
    if (state.vector == kPmi || state.vector == kNmi) {
      note_pmi(result);
      if (state.vector == kPmi) write_apic(kApicEoi, 0);
      break;
    }
    if (state.vector == kTimer) {
      write_apic(kApicEoi, 0);
      if (++result.timers == want.timers) break;
      begin_timer(want);
    } else if (state.vector == kDebug) {
      ++result.steps;
      const u64 count = read_msr(kCounter);
      if (count - before > result.most_per_step) result.most_per_step = count - before;
      before = count;
    } else if (state.vector != kSyscall) {
      ++result.faults;
      serve_fault(state);
    }
  }
  write_apic(kApicTimer, kLvtMasked);
  return result;
}

// A timer that fires on the very entry to ring 3 adds no gain: no instruction has started there.
void check_count(const char* name, u64 seen, u64 expected, const Run& result) {
  const u64 most = expected + settings.gain * result.entries;
  const u64 least = most - settings.gain * result.timers;
  check(name, seen >= least && seen <= most, seen, most);
}

Run count(const char* name, const char* program, const Want& want, u64 expected) {
  unmap_demand_pages();
  State state = user_state(program);
  start_counter(0, kUser, kLvtMasked);
  const Run result = run(state, want);
  check_count(name, stop_counter(), expected, result);
  return result;
}

}  // namespace guest
