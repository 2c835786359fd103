// Page tables of a space, page by page. The table is also the only book about a page: who owns its
// frame and what the process may do with it stand in the entry's software bits, so there is no
// second list to disagree with it. Hardware write access is a separate matter from the process's
// permission to write: DWC write-protects a page to see its first write.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/base/address.hpp"

namespace arch {

struct Permissions {
  bool read = true;  // without it the page is reserved but not present
  bool write = false;
  bool execute = false;
  friend bool operator==(Permissions, Permissions) = default;
};

enum class Ownership : std::uint8_t {
  Owned,   // the frame belongs to this page alone and is released with it
  Shared,  // a module's or the zero page's frame: read by many, never written, never released
  Device,  // no memory: present only between open_device() and close_device()
};

enum class WriteAccess : std::uint8_t { Protected, Enabled };  // what the hardware allows now

struct Mapping {
  reprise::FrameNumber frame;
  Permissions permissions;
  Ownership ownership = Ownership::Owned;
  WriteAccess write_access = WriteAccess::Protected;
};

namespace x86 {
struct HostFormat;
}

template <class Format>
class BasicPageTable;

// The entry of one page: a handle, found by one walk of the table and copied freely. It stays good
// until its table is cleared or destroyed, whatever is mapped or unmapped meanwhile. The caller
// invalidates the page's translation after a change.
template <class Format>
class BasicLeaf {
public:
  BasicLeaf() = default;  // no page's: only to be assigned to

  [[nodiscard]] reprise::PageNumber page() const { return page_; }
  [[nodiscard]] Mapping mapping() const;
  // Parts of it, for where each instruction counts.
  [[nodiscard]] reprise::FrameNumber frame() const;
  [[nodiscard]] Ownership ownership() const;
  [[nodiscard]] bool may_write() const;  // the process's permission

  // Another mapping for the page; a frame that the page owned is not released.
  void set(const Mapping& mapping) const;
  // Forgets the page, which is mapped, and returns what it was; the caller releases an owned frame.
  [[nodiscard]] Mapping unmap() const;
  // The hot path of DWC: the page gets `frame`, owned from now on, and hardware write access;
  // accessed and dirty are clear.
  void replace(reprise::FrameNumber frame, WriteAccess write_access) const;
  [[nodiscard]] bool dirty() const;
  void clear_dirty() const;
  [[nodiscard]] bool accessed() const;

  // Makes a device page present for one granted access; close_device() undoes it, and it also
  // invalidates the translation.
  void open_device() const;
  void close_device() const;

  friend bool operator==(const BasicLeaf& a, const BasicLeaf& b) { return a.page_ == b.page_; }

private:
  friend class BasicPageTable<Format>;
  BasicLeaf(reprise::PageNumber page, std::uint64_t* entry) : page_{page}, entry_{entry} {}
  reprise::PageNumber page_{};
  std::uint64_t* entry_ = nullptr;
};

// `Format` says what the bits of an entry mean: the host's own, or those of nested tables for
// guests (arch/x86_64/table_format.hpp). Ownership: a table owns its own frames and those of owned
// pages.
template <class Format>
class BasicPageTable {
public:
  // No pages, and beside them the kernel's half where the format has one. Nothing when memory is
  // exhausted.
  [[nodiscard]] static std::optional<BasicPageTable> create(reprise::FrameSource& frames);
  // The same for a guest's nested table: there is no kernel's half in it. Neither is the table ever
  // active: a virtual CPU is told its root, and drops its translations itself.
  [[nodiscard]] static std::optional<BasicPageTable> create_nested(reprise::FrameSource& frames);
  BasicPageTable(BasicPageTable&& other) noexcept;
  BasicPageTable(const BasicPageTable&) = delete;
  BasicPageTable& operator=(const BasicPageTable&) = delete;
  ~BasicPageTable();  // releases owned frames and the tables themselves

  // Forgets all pages and gives owned frames and tables back; costs no more than walking the
  // tables.
  void clear();

  // Sets or replaces a page's entry; false when a table frame was needed and memory is exhausted.
  // A frame that was owned before is not released: unmap its leaf first where that is meant.
  [[nodiscard]] bool map(reprise::PageNumber page, const Mapping& mapping);
  // The entry of a mapped page: the one walk that all questions about a page need.
  [[nodiscard]] std::optional<BasicLeaf<Format>> leaf(reprise::PageNumber page) const;
  [[nodiscard]] std::optional<Mapping> find(reprise::PageNumber page) const;
  // Makes all tables that the pages in [from, end) need: map() cannot fail for them then, whatever
  // is unmapped meanwhile. False: memory is exhausted; the tables that were made stay.
  [[nodiscard]] bool make_tables(reprise::PageNumber from, reprise::PageNumber end);
  // The entry of the first mapped page in [from, end), skipping empty tables quickly.
  [[nodiscard]] std::optional<BasicLeaf<Format>> next_leaf(reprise::PageNumber from,
                                                           reprise::PageNumber end) const;

  // Calls `use` with the frame of each page that the CPU has read or written through this table
  // since the last call, and says how many there were. The caller invalidates all translations, or
  // the CPU would not note the next use of a page that it remembers.
  std::uint64_t take_accessed(void (*use)(reprise::FrameNumber)) const;

  [[nodiscard]] reprise::FrameNumber root() const { return root_; }
  void activate() const;                             // the CPU translates by it from now on
  static void invalidate(reprise::PageNumber page);  // one translation of the active space
  static void invalidate_user();                     // all user translations of the active space

private:
  BasicPageTable(reprise::FrameNumber root, reprise::FrameSource& frames);
  [[nodiscard]] std::uint64_t* made_entry(reprise::PageNumber page);
  reprise::FrameNumber root_;
  reprise::FrameSource* frames_;
};

// A program's address space.
using Leaf = BasicLeaf<x86::HostFormat>;
using PageTable = BasicPageTable<x86::HostFormat>;
extern template class BasicLeaf<x86::HostFormat>;
extern template class BasicPageTable<x86::HostFormat>;

}  // namespace arch
