// What the boot loader left in memory, as the Multiboot2 specification 2.0 §3.6 lays it out: a blob
// of tags, each aligned to 8 bytes. Read here is only what the kernel itself needs; init reads the
// rest (user/init/boot_info.hpp). Nothing in it is trusted: every size is checked against the blob
// before it is used. Pure logic on bytes; read_boot_info() feeds it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "arch/boot_info.hpp"
#include "kernel/base/result.hpp"

namespace arch {

using Bytes = std::span<const std::byte>;

// The number or packed structure at `offset`; all zero when it does not lie wholly within `bytes`.
template <class T>
[[nodiscard]] T value_at(Bytes bytes, std::size_t offset) {
  T value{};
  if (offset <= bytes.size() && bytes.size() - offset >= sizeof(T)) {
    __builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
  }
  return value;
}

inline constexpr std::uint32_t multiboot2_magic = 0x36d76289;  // in EAX at entry

inline constexpr std::size_t max_memory_entries = 1024;

// What one entry of the memory map says, in whole pages: those of which it has all when it makes
// them available, or a part when it does not.
struct MemoryPages {
  std::uint64_t start, end;
  bool available;
};

// The storage behind a BootInfo: its spans point in here.
struct BootStorage {
  BootInfo info{};
  std::array<MemoryPages, max_memory_entries + max_modules + 3> entries{};
  std::size_t entry_count = 0;
  std::array<MemoryRange, max_memory_ranges> memory{};
  std::array<MemoryRange, max_modules> modules{};
};

// Reads the blob, which lies at `address`, into `storage`, which must be as constructed. Free
// memory is what the loader calls available, whole pages only, minus: everything it calls
// otherwise, the first MiB (firmware data, and pages a second processor would start from), `image`,
// the modules, and the blob itself. Of more ranges than fit, the smallest are left out. The error
// is a text for people that says what is wrong.
using BootInfoResult = reprise::Result<reprise::Done, std::string_view>;
[[nodiscard]] BootInfoResult parse_boot_info(Bytes blob, reprise::PhysAddr address,
                                             MemoryRange image, BootStorage& storage);

}  // namespace arch
