// How the PMU's tests run and judge. A program runs in ring 3 under the counter, and a Run collects
// its results. A check prints `ok NAME` or `FAIL NAME ...`.
#pragma once

#include "machine.hpp"

#define PROGRAM(name) extern "C" char name[]
PROGRAM(straight_line);
PROGRAM(empty);
PROGRAM(counted_loop);
PROGRAM(loop_to_itself);
PROGRAM(calls);
PROGRAM(rep_store);
PROGRAM(rep_all);
PROGRAM(touch_pages);
PROGRAM(push_faulting);
PROGRAM(jump_faulting);
PROGRAM(jump_faulting_target);
PROGRAM(exceptions);
PROGRAM(system_calls);
PROGRAM(mixture);
PROGRAM(writes_code);
PROGRAM(spin);
PROGRAM(position);
PROGRAM(position_jump);
PROGRAM(long_rep);

namespace guest {

inline constexpr u32 kCounter = 0x309, kCapabilities = 0x345, kControl = 0x38d, kStatus = 0x38e,
                     kGlobal = 0x38f, kClear = 0x390;
inline constexpr u64 kFixed0 = u64{1} << 32;
inline constexpr u64 kRing0 = 1, kUser = 2, kWithInterrupt = 8;
inline constexpr u32 kLvtMasked = 1 << 16, kLvtNmi = 4 << 8;

// QEMU's and the plugin's arguments, as the kernel's command line repeats them.
struct Settings {
  u64 width = 48, delay = 0, gain = 0, stale = 1, single = 0, loops = 0, program = 0;
  [[nodiscard]] u64 mask() const { return (u64{1} << width) - 1; }
  // TCG's largest block has 512 instructions. The plugin notices an overflow at the end of its
  // block, and the end of a delay at the end of another block.
  [[nodiscard]] u64 most_skid() const { return delay == 0 ? 511 : delay + 2 * 511; }
};
extern Settings settings;
void read_settings(u64 multiboot);

[[nodiscard]] u64 failures();
void check(const char* name, bool good, u64 seen, u64 expected);
void check_equal(const char* name, u64 seen, u64 expected);
void check_most(const char* name, u64 seen, u64 most);

void start_counter(u64 value, u64 control, u32 lvt);
u64 stop_counter();

// What happened while a program ran to its `int 0x80`, or to the first interrupt of the PMU.
struct Run {
  u64 entries = 0;  // through the IDT
  u64 faults = 0, timers = 0, pmis = 0, steps = 0;
  u64 status = 0;  // at the PMI
  u32 lvtpc = 0;   // likewise
  u64 most_per_step = 0;
};
struct Want {
  u64 length = 0;        // RCX
  u32 timer = 0;         // one-shot timer, restarted each time
  u64 timers = ~u64{0};  // stop after this many
  bool single_step = false;
};

Run run(State& state, const Want& want);

// Checks what a whole run of a program counted.
void check_count(const char* name, u64 seen, u64 expected, const Run& result);
Run count(const char* name, const char* program, const Want& want, u64 expected);

}  // namespace guest
