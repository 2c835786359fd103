// The boot loader's modules become processes: first the archive and the personality are found, then
// each program is started beside them. A module that cannot be used is named, with what to do about
// it, and the others run all the same.
#pragma once

#include <optional>
#include <span>

#include "arch/machine.hpp"
#include "kernel/base/error.hpp"
#include "kernel/process/loader.hpp"

namespace reprise {

// One printed line for people and one for scripts about what cannot be used; `subject` is the
// module's name or the argument at fault.
void print_error(Error error, std::string_view subject);

// Starts every program; the first error that was met, if any.
[[nodiscard]] std::optional<Error> start_programs(std::span<const arch::Module> modules,
                                                  FrameAllocator& frames, Injector& injector,
                                                  const Settings& settings, ProcessTable& table);

}  // namespace reprise
