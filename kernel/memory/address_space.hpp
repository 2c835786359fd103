// The pages of one process, a program or a guest, and the only checked way to its memory. Fresh
// pages all stand on one shared zero frame, program files on the boot module's own frames: a page
// gets a frame of its own with its first write. Pages that have been run on change between
// processing elements only, and the engine is told first: kernel/context/gate.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "arch/page_table.hpp"
#include "kernel/abi/outcome.hpp"
#include "kernel/base/address.hpp"
#include "kernel/memory/page_range.hpp"

namespace reprise {

// Lets device interrupts in now and then, for each page of what may take long.
void let_interrupts_in(PageNumber page);

// Errors: REPRISE_BAD_ADDRESS where a page is not mapped as needed, REPRISE_OCCUPIED where one is
// mapped already, REPRISE_NO_MEMORY.
class AddressSpace {
public:
  // `zero` is a frame of zeros that is never written. Nothing when memory is exhausted.
  [[nodiscard]] static std::optional<AddressSpace> create(FrameSource& frames, FrameNumber zero);

  // The same for a guest: its addresses are guest-physical and begin at 0.
  [[nodiscard]] static std::optional<AddressSpace> create_nested(FrameSource& frames,
                                                                 FrameNumber zero);

  [[nodiscard]] arch::PageTable& table() { return table_; }
  [[nodiscard]] const arch::PageTable& table() const { return table_; }

  // Without memory for all nothing stays mapped.
  Outcome map_zero(PageRange range, arch::Permissions permissions);
  // Frames that follow each other; no page of the range may be mapped. Those of a device are
  // absent, and for the kernel itself out of reach (kernel/device/access.hpp): no permissions.
  Outcome map_frames(PageRange range, FrameNumber first, arch::Permissions permissions,
                     arch::Ownership ownership = arch::Ownership::Shared);
  // After it a mapping of the range needs no memory, even when what is mapped there has gone.
  Outcome make_tables(PageRange range);
  // The process is over: all goes back at once.
  void unmap_all() { table_.clear(); }
  // Whether protect() may be used on every page of the range: all are mapped, none is a device's.
  [[nodiscard]] bool protectable(PageRange range) const;

  // Page by page, for the gate: one walk of the table finds a page for all that is done to it.
  void unmap(arch::Leaf page);
  static void protect(arch::Leaf page, arch::Permissions permissions);
  template <class Visit>
  void for_each_mapped(PageRange range, Visit visit) const {
    std::optional<arch::Leaf> page = table_.next_leaf(range.first(), range.end());
    while (page) {
      let_interrupts_in(page->page());
      visit(*page);
      page = table_.next_leaf(page->page() + 1, range.end());
    }
  }

  // Gives the page a frame of its own, with the same content; hardware write access as asked.
  Outcome own(PageNumber page, arch::WriteAccess write_access);

  // Whether the process itself could do that to every byte of the range (an empty one: yes).
  [[nodiscard]] bool readable(UserAddr start, std::size_t bytes) const {
    return permits(start, bytes, &arch::Permissions::read);
  }
  [[nodiscard]] bool writable(UserAddr start, std::size_t bytes) const {
    return permits(start, bytes, &arch::Permissions::write);
  }

  [[nodiscard]] bool is_device(UserAddr address) const;

  // The first bytes of a range that is known to be mapped, up to the end of their page.
  [[nodiscard]] std::span<const std::byte> bytes_at(UserAddr at, std::size_t most) const;
  // As many bytes from the start as can be read; their number.
  std::size_t read_start(UserAddr from, std::span<std::byte> to) const;
  // Whole transfers or none, but without memory for all a part may be written. read() needs the
  // process's permission to read, write() its permission to write. load() is the loader's: it
  // writes whatever the permissions say.
  Outcome read(UserAddr from, std::span<std::byte> to) const;
  Outcome write(UserAddr to, std::span<const std::byte> from);
  Outcome load(UserAddr to, std::span<const std::byte> from);
  // After it a write() to that range cannot fail. It fails as that would.
  Outcome prepare(UserAddr to, std::size_t bytes);

private:
  enum class Kind : std::uint8_t { Program, Guest };
  AddressSpace(arch::PageTable table, FrameSource& frames, FrameNumber zero, Kind kind)
      : table_{std::move(table)}, frames_{&frames}, zero_{zero}, kind_{kind} {}
  [[nodiscard]] std::span<std::byte> writable_bytes_at(UserAddr at, std::size_t most);
  Outcome map_shared(PageRange range, arch::Mapping mapping, std::uint64_t step);
  [[nodiscard]] bool permits(UserAddr start, std::size_t bytes,
                             bool arch::Permissions::*right) const;

  arch::PageTable table_;
  FrameSource* frames_;
  FrameNumber zero_;
  Kind kind_;
};

}  // namespace reprise
