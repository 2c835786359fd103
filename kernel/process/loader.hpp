// From boot modules to processes ready to run: checks each program's ELF file, maps it without
// copying (read-only pages stand on the module itself, writable ones get a frame at their first
// write), puts the personality and the archive beside a Linux program, and builds the first stack.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "arch/machine.hpp"
#include "kernel/base/error.hpp"
#include "kernel/base/result.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/parse/elf.hpp"
#include "kernel/parse/settings.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

class Injector;

// What all programs of this boot share.
struct Companions {
  std::optional<arch::MemoryRange> personality;
  std::optional<arch::MemoryRange> archive;
};

class Loader {
public:
  Loader(FrameAllocator& frames, FrameNumber zero, const Companions& companions,
         Injector& injector, const Settings& settings)
      : frames_{frames},
        zero_{zero},
        companions_{companions},
        injector_{injector},
        settings_{settings} {}

  // Makes a process of the program in `range` and enters it into the table.
  Result<Done, Error> start(std::string_view name, std::span<const std::string_view> arguments,
                            const arch::MemoryRange& range, ProcessTable& table);

private:
  Result<Done, Error> map_image(AddressSpace& space, const arch::MemoryRange& file,
                                const ElfImage& image);
  Result<Done, Error> map_segment(AddressSpace& space, const arch::MemoryRange& file,
                                  const ElfSegment& segment);
  Result<Done, Error> map_archive(AddressSpace& space);
  std::optional<Process::Storage> make_storage(bool hardened);

  FrameAllocator& frames_;
  FrameNumber zero_;
  const Companions& companions_;
  Injector& injector_;
  const Settings& settings_;
};

}  // namespace reprise
