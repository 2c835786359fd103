// A process's pages.
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

}  // namespace

Answer map(Call& call) {
  const auto range = PageRange::of(UserAddr{call.first()}, call.second());
  const auto permissions = permissions_of(call.third());
  const std::uint64_t flags = call.fourth();
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  if (!permissions || (flags & ~std::uint64_t{REPRISE_MAP_REPLACE}) != 0) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
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

}  // namespace reprise::native_calls
