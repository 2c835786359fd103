// From boot modules to processes ready to run. The kernel only maps what the boot loader brought:
// the personality's flat image, the program's file and the archive, read-only and where they lie.
// What the program's file means is the business of the loader in the personality (user/loader),
// which runs in ring 3 and therefore twice.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "arch/machine.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/error.hpp"
#include "kernel/base/result.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/parse/settings.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

// What all programs of this boot share; an empty range: there is none.
struct Companions {
  arch::MemoryRange personality{}, archive{};
};

class Loader {
public:
  Loader(FrameAllocator& frames, FrameNumber zero, const Companions& companions, Injector& injector,
         const Settings& settings)
      : frames_{frames},
        zero_{zero},
        companions_{companions},
        injector_{injector},
        settings_{settings} {}

  // Makes a process of the program in `file` and enters it into the table.
  Result<Done, Error> start(std::string_view name, std::span<const std::string_view> arguments,
                            const arch::MemoryRange& file, ProcessTable& table);

private:
  bool map_file(AddressSpace& space, std::uint64_t address, const arch::MemoryRange& file);
  bool map_image(AddressSpace& space, const reprise_image& image);
  std::optional<UserAddr> write_start(AddressSpace& space, reprise_start start,
                                      std::span<const std::string_view> arguments);
  std::optional<Process::Storage> make_storage(bool hardened);

  FrameAllocator& frames_;
  FrameNumber zero_;
  const Companions& companions_;
  Injector& injector_;
  const Settings& settings_;
};

}  // namespace reprise
