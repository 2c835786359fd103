// The pages of one process, and the only checked way to its memory. Fresh pages all stand on one
// shared zero frame, program files on the boot module's own frames: a page gets a frame of its own
// with its first write. All that the kernel itself does here happens between processing elements;
// the observer hears of a page before it changes, so that DWC's books stay true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "arch/page_table.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/address.hpp"

namespace reprise {

// As the ABI says them.
enum class MemoryError : std::uint8_t {
  NotMapped = REPRISE_BAD_ADDRESS,
  Occupied = REPRISE_OCCUPIED,
  Exhausted = REPRISE_NO_MEMORY,
};
struct [[nodiscard]] MemoryResult {
  std::optional<MemoryError> error{};  // nothing: done
  explicit operator bool() const { return !error; }
};

// Told before the kernel changes a page or takes it away.
class PageObserver {
public:
  virtual void page_changes(PageNumber page) = 0;

protected:
  ~PageObserver() = default;
};

// Whole pages of the user half; empty or out of bounds ranges cannot be made.
class PageRange {
public:
  // Address and size must be multiples of the page size; the size may not be 0.
  [[nodiscard]] static std::optional<PageRange> of(UserAddr start, std::uint64_t bytes);
  [[nodiscard]] PageNumber first() const { return first_; }
  [[nodiscard]] PageNumber end() const { return end_; }

private:
  PageRange(PageNumber first, PageNumber end) : first_{first}, end_{end} {}
  PageNumber first_, end_;
};

class AddressSpace {
public:
  // `zero` is a frame of zeros that is never written. Nothing when memory is exhausted.
  [[nodiscard]] static std::optional<AddressSpace> create(FrameSource& frames, FrameNumber zero);

  void observe(PageObserver* observer) { observer_ = observer; }
  [[nodiscard]] arch::PageTable& table() { return table_; }

  // On Exhausted nothing stays half mapped.
  MemoryResult map_zero(PageRange range, arch::Permissions permissions);
  // Frames that follow each other; no page of the range may be mapped. Those of a device are
  // absent, and for the kernel itself out of reach (kernel/device/access.hpp): no permissions.
  MemoryResult map_frames(PageRange range, FrameNumber first, arch::Permissions permissions,
                          arch::Ownership ownership = arch::Ownership::Shared);
  void unmap(PageRange range);
  // The process is over: all goes back at once, and the observer is not asked.
  void unmap_all() { table_.clear(); }
  MemoryResult protect(PageRange range, arch::Permissions permissions);

  // Gives the page a frame of its own, with the same content; hardware write access as asked.
  MemoryResult own(PageNumber page, arch::WriteAccess write_access);

  // Whether the process itself could do that to every byte of the range (an empty one: yes).
  [[nodiscard]] bool readable(UserAddr start, std::size_t bytes) {
    return permits(start, bytes, &arch::Permissions::read);
  }
  [[nodiscard]] bool writable(UserAddr start, std::size_t bytes) {
    return permits(start, bytes, &arch::Permissions::write);
  }

  [[nodiscard]] bool is_device(UserAddr address) const;

  // The first bytes of a range that is known to be mapped, up to the end of their page.
  [[nodiscard]] std::span<std::byte> bytes_at(UserAddr at, std::size_t most);
  // As much of the start as can be read, in bytes.
  std::size_t read_start(UserAddr from, std::span<std::byte> to);
  // Whole transfers or none, save that Exhausted may leave a part written. read() needs the
  // process's permission to read; write() that to write; load() is the loader's: it writes whatever
  // the permissions say.
  MemoryResult read(UserAddr from, std::span<std::byte> to);
  MemoryResult write(UserAddr to, std::span<const std::byte> from);
  // Has a write() to that range succeed, whatever it writes; fails as it would.
  MemoryResult prepare(UserAddr to, std::size_t bytes);
  MemoryResult load(UserAddr to, std::span<const std::byte> from);

private:
  AddressSpace(arch::PageTable table, FrameSource& frames, FrameNumber zero)
      : table_{std::move(table)}, frames_{&frames}, zero_{zero} {}
  void forget(PageNumber page);
  MemoryResult map_shared(PageRange range, arch::Mapping mapping, std::uint64_t step);
  void unmap_one(PageNumber page);
  [[nodiscard]] bool permits(UserAddr start, std::size_t bytes, bool arch::Permissions::*right);

  arch::PageTable table_;
  FrameSource* frames_;
  FrameNumber zero_;
  PageObserver* observer_ = nullptr;
};

}  // namespace reprise
