// From a boot module to a process ready to run. The kernel only maps what the boot loader brought:
// the personality's flat image, the program's file and the archive, read-only and where they lie.
// What the program's file means is the business of the loader in the personality (user/loader),
// which runs in ring 3 and therefore twice. Which modules are programs is init's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arch/boot_info.hpp"
#include "kernel/base/result.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

struct LoadedSpace {
  AddressSpace space;
  UserAddr entry;        // the personality's first instruction
  UserAddr start_block;  // struct reprise_start
};

class Loader {
public:
  Loader(const arch::BootInfo& boot, FrameAllocator& frames, FrameNumber zero)
      : boot_{boot}, frames_{frames}, zero_{zero} {}

  // The new process, whose strings these are (the request's are not looked at). Errors:
  // REPRISE_BAD_ARGUMENT (a module or the personality is not what it has to be, or the table is
  // full), REPRISE_NOT_GRANTED (nobody can have this) and REPRISE_NO_MEMORY.
  [[nodiscard]] Result<Process*, reprise_error> start(ProcessTable& table,
                                                      const ProgramRequest& request,
                                                      std::span<const char> strings,
                                                      const KernelSettings& settings,
                                                      const ContextResources& resources) const;

  // A guest without memory, whose monitor is the process that the request names. Errors:
  // REPRISE_NOT_GRANTED (this machine runs no guests), REPRISE_BAD_ARGUMENT (the monitor is no
  // program that lives, or the table is full) and REPRISE_NO_MEMORY.
  [[nodiscard]] Result<Process*, reprise_error> start_guest(
      ProcessTable& table, const ProgramRequest& request, const KernelSettings& settings,
      const ContextResources& resources) const;

private:
  // What a program is made of, all of it checked.
  struct Parts {
    arch::MemoryRange personality;
    reprise_image image;
    arch::MemoryRange file, archive;  // archive: of size 0 when there is none
    Grants grants;
  };
  [[nodiscard]] Result<Parts, reprise_error> parts_of(const ProgramRequest& request) const;
  [[nodiscard]] bool is_module(std::uint64_t number) const { return number < boot_.modules.size(); }
  [[nodiscard]] std::optional<LoadedSpace> load(const Parts& parts, reprise_start start,
                                                std::span<const char> strings) const;

  const arch::BootInfo& boot_;
  FrameAllocator& frames_;
  FrameNumber zero_;
};

}  // namespace reprise
