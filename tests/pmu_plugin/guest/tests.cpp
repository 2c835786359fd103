// The PMU's tests, from inside: known ring-3 programs run under the modelled counter. Prints one
// line a test, `ok NAME` or `FAIL NAME ...`; the exit code says whether all passed. The command
// line repeats the plugin's arguments (width= delay= gain= stale= single=), because the
// expectations depend on them.
#include <initializer_list>

#include "harness.hpp"

using namespace guest;

namespace {

void test_counts() {
  count("an empty program", empty, {}, 1);
  count("straight line", straight_line, {}, 101);
  for (u64 n : {1u, 2u, 3u, 1000u, 100000u}) {
    count("a counted loop", counted_loop, {.length = n}, 2 * n + 1);
    count("a branch to itself", loop_to_itself, {.length = n}, n + 1);
    count("calls and returns", calls, {.length = n}, 6 * n + 1);
    count("pause, lock, pushf, SSE, div", mixture, {.length = n}, 14 * n + 2);
    count("code that writes code", writes_code, {.length = n}, 5 * n + 1);
  }
  count("system calls", system_calls, {.length = 100}, 5 * 100 + 2);
}

void test_repeats() {
  for (u64 n : {0u, 1u, 2u, 10u, 1000u, 10000u}) {
    count("REP counts once at every length", rep_store, {.length = n}, 2);
    count("every form of REP", rep_all, {.length = n}, 17);
  }
  const Run faulting = count("REP over pages that fault", rep_store, {.length = 64 * 4096}, 2);
  check_equal("each of them faulted", faulting.faults, 64);
}

void test_faults() {
  const Run touched = count("page faults on first touch", touch_pages, {.length = 100}, 401);
  check_equal("each page faulted once", touched.faults, 100);
  count("PUSH and POP that fault", push_faulting, {}, 5);
  count("a jump that faults", jump_faulting, {}, 4);
  count("#UD and #DE do not retire, INT3 does", exceptions, {}, 6);
}

// The host's clock drives the timer. On a busy host a whole program may end before the timer fires;
// then the program runs again.
template <typename Count>
void count_under_timer(const char* name, Count count) {
  u64 timers = 0;
  for (int round = 0; round < 100 && timers < 5; ++round) timers += count().timers;
  check(name, timers >= 5, timers, 5);
}

void test_interrupts() {
  const Want want{.length = 2'000'000, .timer = 50'000};
  count_under_timer("the timer came in the loop", [&] {
    return count("a loop under a timer", counted_loop, want, 2 * want.length + 1);
  });
  count_under_timer("the timer came at the branch to itself", [&] {
    return count("a branch to itself under a timer", loop_to_itself, want, want.length + 1);
  });
  for (u64 page = 0; page < 512; ++page) map_demand_page(kDemandArea + page * 4096);
  count_under_timer("the timer came within the REP", [&] {
    State state = user_state(long_rep);
    start_counter(0, kUser, kLvtMasked);
    const Run repeated = run(state, want);
    check_count("a long REP under a timer", stop_counter(), 4, repeated);
    return repeated;
  });
}

void test_single_steps() {
  const Run stepped = count("single steps", counted_loop, {.length = 50, .single_step = true}, 101);
  check_equal("every step but the last traps", stepped.steps, 100);
  const Run rep =
      count("a REP in single steps", rep_store, {.length = 100, .single_step = true}, 2);
  check("its iterations trap", rep.steps >= 100, rep.steps, 100);
  check_most("and none of them counts", rep.most_per_step, 1 + settings.gain * rep.steps);
}

// Ends a program when its overflow never interrupts. The time is longer than the pauses of a
// program on a busy host.
constexpr Want kUntilInterrupt{.timer = 1'000'000'000, .timers = 1};

// The number of instructions that `position` has retired at this address.
u64 retired_at(const State& state) {
  const bool at_jump = state.rip == reinterpret_cast<u64>(position_jump);
  return state.rax + state.rax / 40 - (at_jump ? 1 : 0);
}

void test_overflow(u32 lvt, const char* name) {
  u64 wrong = 0, missing = 0, most = 0, least = ~u64{0}, badly_masked = 0, not_said = 0;
  u64 random = 12345;
  for (int round = 0; round < 300 && missing < 3; ++round) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const u64 until = 1 + (random >> 33) % 20'000;
    State state = user_state(position);
    start_counter(0 - until, kUser | kWithInterrupt, lvt);
    const Run result = run(state, kUntilInterrupt);
    const u64 skid = stop_counter() - settings.gain;
    if (result.pmis == 0) {
      ++missing;
      continue;
    }
    if (until + skid != retired_at(state)) ++wrong;
    if ((result.lvtpc & kLvtMasked) == 0) ++badly_masked;
    if (result.status != kFixed0) ++not_said;
    if (skid > most) most = skid;
    if (skid < least) least = skid;
  }
  print(name);
  print(": skid ");
  print(least);
  print(" to ");
  print(most);
  print("\n");
  check_equal("each overflow interrupts", missing, 0);
  check_equal("counter and position agree", wrong, 0);
  check_equal("LVTPC is masked by the delivery", badly_masked, 0);
  check_equal("GLOBAL_STATUS says so", not_said, 0);
  check_most("the skid is bounded", most, settings.most_skid());
  if (settings.delay > 0) check("the delay is used", most > settings.delay / 2, most, 0);
}

// At each tick of the PIT another thread of QEMU asks the CPU to look at its local APIC, although
// the PIC masks the line.
void test_overflow_beside_ticks() {
  start_pit(119);  // 10 kHz
  test_overflow(kLvtNmi, "NMI beside a masked timer");
  start_pit(0);
}

void test_overflow_in_spin() {
  State state = user_state(spin);
  start_counter(0 - u64{1000}, kUser | kWithInterrupt, kPmi);
  const Run result = run(state, kUntilInterrupt);
  check_equal("a jump to itself is interrupted", result.pmis, 1);
  check_most("soon", stop_counter(), settings.most_skid() + settings.gain);
}

// The instruction before the REP overflows the counter, so the interrupt comes within the REP.
void test_overflow_at_repeat() {
  for (u64 page = 0; page < 512; ++page) map_demand_page(kDemandArea + page * 4096);
  State state = user_state(long_rep);
  state.rsi = kDemandArea;
  start_counter(0 - u64{2}, kUser | kWithInterrupt, kPmi);
  const Run result = run(state, {.length = 1'000'000});
  check_equal("an overflow before a REP interrupts", result.pmis, 1);
  const u64 most_left = 1'000'000 - (settings.single != 0 ? 0 : 1);
  check("within it", state.rcx > 0 && state.rcx <= most_left, state.rcx, most_left);
  check_equal("which has not retired then", stop_counter(), settings.gain);
}

// With a long delay, an interrupt comes long after its program has ended and the status is cleared.
void test_late_interrupts() {
  if (settings.delay < 1000) return;
  u64 late = 0;
  for (int round = 0; round < 50; ++round) {
    State state = user_state(counted_loop);
    start_counter(0 - u64{10}, kUser | kWithInterrupt, kPmi);
    const u64 in_time = run(state, {.length = 100}).pmis;
    stop_counter();
    write_msr(kClear, kFixed0);
    state = user_state(counted_loop);
    const Run after = run(state, {.length = 10'000});
    if (in_time + after.pmis != 1) late = ~u64{0} / 2;
    if (after.pmis == 1 && after.status == 0) ++late;
  }
  check("an interrupt may come after its program", late > 0 && late <= 50, late, 1);
}

void test_mask() {
  const u64 n = 10'000;
  State state = user_state(counted_loop);
  start_counter(0 - u64{100}, kUser | kWithInterrupt, kPmi | kLvtMasked);
  check_equal("a masked LVTPC lets nothing through", run(state, {.length = n}).pmis, 0);
  check_equal("the status says that it overflowed", read_msr(kStatus), kFixed0);
  check_equal("the counter went on", read_msr(kCounter), 2 * n + 1 - 100 + settings.gain);
  write_apic(kApicLvtpc, kPmi);
  state = user_state(counted_loop);
  check_equal("an overflow left standing comes at the next entry", run(state, {.length = n}).pmis,
              settings.stale);
  write_apic(kApicLvtpc, kPmi);
  write_msr(kClear, kFixed0);
  check_equal("the status can be cleared", read_msr(kStatus), 0);
  state = user_state(counted_loop);
  check_equal("a cleared one does not", run(state, {.length = n}).pmis, 0);

  state = user_state(counted_loop);
  start_counter(0 - u64{100}, kUser | kWithInterrupt, kPmi | kLvtMasked);
  run(state, {.length = n});
  write_msr(kClear, kFixed0);
  write_apic(kApicLvtpc, kPmi);
  state = user_state(counted_loop);
  check_equal("nor one cleared before LVTPC is unmasked", run(state, {.length = n}).pmis, 0);
  stop_counter();
}

void test_enables() {
  State state = user_state(counted_loop);
  start_counter(0 - u64{100}, kUser, kPmi);
  check_equal("without its enable bit there is no interrupt", run(state, {.length = 1000}).pmis, 0);
  check_equal("but the status", read_msr(kStatus), kFixed0);

  state = user_state(counted_loop);
  start_counter(0, kUser, kLvtMasked);
  stop_counter();
  run(state, {.length = 1000});
  check_equal("a stopped counter stands still", read_msr(kCounter), 0);

  state = user_state(counted_loop);
  start_counter(0, kRing0, kLvtMasked);
  run(state, {.length = 1000});
  const u64 kernel = stop_counter();
  check("ring 0 can be counted, without ring 3", kernel > 50 && kernel < 1000, kernel, 100);

  for (int i = 0; i < 1000; ++i) asm volatile("");
  start_counter(0, kUser, kLvtMasked);
  check_equal("ring 0 does not count as ring 3", stop_counter(), 0);
}

void test_registers() {
  write_msr(kGlobal, 0);
  write_msr(kCounter, 0x123456789abcdef & settings.mask());
  check_equal("the counter takes its full width", read_msr(kCounter),
              0x123456789abcdef & settings.mask());
  write_msr(kCounter, 0xfedcba98);
  check_equal("and 32 bits without sign", read_msr(kCounter), 0xfedcba98);
  write_msr(kControl, 0xb);
  check_equal("the control register reads back", read_msr(kControl), 0xb);
  write_msr(kGlobal, kFixed0);
  check_equal("the global one too", read_msr(kGlobal), kFixed0);
  write_msr(kGlobal, 0);
  check_equal("no full-width alias is announced", read_msr(kCapabilities), 0);
  u32 a, b, c = 0, d;
  asm volatile("cpuid" : "=a"(a), "=b"(b), "+c"(c), "=d"(d) : "a"(0xa));
  check_equal("CPUID does not tell of the PMU", a, 0);
}

// For the measurement of speed (loops=NUMBER program=0..2): runs one program for long, and nothing
// else.
void measure() {
  if (settings.loops == 0) return;
  const char* const programs[] = {counted_loop, calls, mixture};
  State state = user_state(programs[settings.program % 3]);
  start_counter(0, kUser, kLvtMasked);
  run(state, {.length = settings.loops});
  leave(0x10);
}

}  // namespace

extern "C" void guest_main(u64 multiboot) {
  set_up();
  read_settings(multiboot);
  measure();
  test_registers();
  test_counts();
  test_repeats();
  test_faults();
  test_interrupts();
  test_single_steps();
  test_overflow(kPmi, "interrupt");
  test_overflow(kLvtNmi, "NMI");
  test_overflow_beside_ticks();
  test_overflow_in_spin();
  test_overflow_at_repeat();
  test_late_interrupts();
  test_mask();
  test_enables();
  leave(failures() == 0 ? 0x10 : 0x11);
}
