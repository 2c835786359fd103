// From boot modules to processes ready to run. The kernel only maps what the boot loader brought:
// the personality's flat image, the program's file and the archive, read-only and where they lie.
// What the program's file means is the business of the loader in the personality (user/loader),
// which runs in ring 3 and therefore twice. A module that cannot be used is named, with what to do
// about it, and the others run all the same.
#pragma once

#include <optional>
#include <span>

#include "arch/machine.hpp"
#include "kernel/base/error.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

// Starts every program; the first error that was met, if any.
[[nodiscard]] std::optional<Error> start_programs(std::span<const arch::Module> modules,
                                                  FrameAllocator& frames, Injector& injector,
                                                  const Settings& settings, ProcessTable& table);

}  // namespace reprise
