// A process's pages, and what it has used.
#include <optional>

#include "arch/boot_info.hpp"
#include "arch/page_table.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {
namespace {

// Nothing: unknown bits, or writable together with executable.
std::optional<arch::Permissions> permissions_of(std::uint64_t protection) {
  constexpr std::uint64_t known =
      REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE | REPRISE_PROTECT_EXECUTE;
  const arch::Permissions permissions{.read = protection != 0,
                                      .write = (protection & REPRISE_PROTECT_WRITE) != 0,
                                      .execute = (protection & REPRISE_PROTECT_EXECUTE) != 0};
  if ((protection & ~known) != 0 || (permissions.write && permissions.execute)) {
    return std::nullopt;
  }
  return permissions;
}

constexpr std::uint64_t known_flags = REPRISE_MAP_REPLACE | REPRISE_MAP_SPARSE;

// What a new mapping can be sure of today. A part is kept back, so that a program that has all of
// this can still run: for its stack, for tables, for the shadow frames of its next PEs.
std::uint64_t available_bytes(Call& call) {
  const Machine& machine = call.machine();
  const std::uint64_t kept_back = machine.boot->total_memory / 64;
  const std::uint64_t bytes = (machine.frames.obtainable() + call.context().spare_frames())
                              << page_shift;
  return bytes > kept_back ? bytes - kept_back : 0;
}

}  // namespace

Answer map(Call& call) {
  const auto range = PageRange::of(UserAddr{call.first()}, call.second());
  const auto permissions = permissions_of(call.third());
  const std::uint64_t flags = call.fourth();
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  if (!permissions || (flags & ~known_flags) != 0) return Failure{REPRISE_BAD_ARGUMENT};
  const bool promises = permissions->write && (flags & REPRISE_MAP_SPARSE) == 0;
  if (promises && call.second() > available_bytes(call)) return Failure{REPRISE_NO_MEMORY};
  if ((flags & REPRISE_MAP_REPLACE) != 0) {
    return answer_of(call.gate().replace_by_zero(*range, *permissions));
  }
  return answer_of(call.gate().map_zero(*range, *permissions));
}

Answer unmap(Call& call) {
  const auto range = PageRange::of(UserAddr{call.first()}, call.second());
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  call.gate().unmap(*range);
  return 0;
}

Answer protect(Call& call) {
  const auto range = PageRange::of(UserAddr{call.first()}, call.second());
  const auto permissions = permissions_of(call.third());
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  if (!permissions) return Failure{REPRISE_BAD_ARGUMENT};
  return answer_of(call.gate().protect(*range, *permissions));
}

// Only whole pages of the file: its last page may hold what is not the file's.
Answer map_file(Call& call) {
  const std::uint64_t bytes = call.second(), offset = call.fourth();
  const auto range = PageRange::of(UserAddr{call.first()}, bytes);
  const auto permissions = permissions_of(call.third());
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  const arch::MemoryRange& file = call.process().file();
  if (!permissions || offset % page_size != 0 || offset > file.size || bytes > file.size - offset) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  const FrameNumber first = frame_containing(file.start + offset);
  return answer_of(call.gate().map_frames(*range, first, *permissions));
}

Answer usage(Call& call) {
  switch (call.first()) {
    case REPRISE_USAGE_MEMORY: return static_cast<std::int64_t>(call.machine().boot->total_memory);
    case REPRISE_USAGE_AVAILABLE: return static_cast<std::int64_t>(available_bytes(call));
    case REPRISE_USAGE_TIME: return static_cast<std::int64_t>(call.context().own_time());
    default: return Failure{REPRISE_BAD_ARGUMENT};
  }
}

}  // namespace reprise::native_calls
