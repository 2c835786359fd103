// Tells of each byte in a list what comes next to it from a given instruction on, in a run without
// a fault (watch.hpp). What the processor or QEMU reads without an instruction that names it is
// taken for unseen: page tables, descriptor tables, the task's state, the frames that an interrupt
// pushes. README.md, "Watching", says what this rests on.
#pragma once

#include <cstdint>
#include <cstdio>
#include <vector>

#include "../pmu_plugin/qemu_api.hpp"
#include "watch.hpp"

namespace resolve {

// Between two blocks; `base` is the clock at instruction 0. Blocks are translated anew from here
// on.
void begin(std::vector<fault::Watch> watches, std::int64_t base);
// Each block that is translated after begin().
void on_translation(qemu_plugin_tb* block);
// A line for each watch, in the order that begin() got them.
void report(std::FILE* into);

}  // namespace resolve
