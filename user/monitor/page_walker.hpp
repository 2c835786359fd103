// Finds the guest-physical address behind a linear one as the guest's processor would: without
// paging, by 32-bit paging, PAE, or four levels, large pages included (Intel SDM Vol. 3A §4). It
// sets accessed and dirty bits. Only what string I/O needs is checked: presence, writing, the user
// bit. A fetch of instructions counts as a read.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/abi/guest.h"

namespace monitor {

enum class MemoryUse : std::uint8_t { Read, Write };

// The guest's memory. False: there is none at that address.
class GuestMemory {
public:
  virtual bool read(std::uint64_t address, void* to, std::uint64_t bytes) = 0;
  virtual bool write(std::uint64_t address, const void* from, std::uint64_t bytes) = 0;

protected:
  ~GuestMemory() = default;
};

struct Translation {
  bool found = false;
  std::uint64_t physical = 0;    // when found
  std::uint64_t error_code = 0;  // of the page fault, when not
};

class PageWalker {
public:
  PageWalker(const reprise_guest_state& state, GuestMemory& memory)
      : state_{state}, memory_{memory} {}

  [[nodiscard]] Translation walk(std::uint64_t linear, MemoryUse use);

private:
  struct Rights {
    bool writable = true, user = true;
  };

  [[nodiscard]] Translation walk_tables(std::uint64_t linear, MemoryUse use);
  [[nodiscard]] Translation fault(MemoryUse use, bool present) const;
  [[nodiscard]] std::optional<std::uint64_t> read_entry(std::uint64_t address);
  bool mark(std::uint64_t address, std::uint64_t& entry, std::uint64_t bits);
  [[nodiscard]] bool is_large(std::uint64_t entry, unsigned level) const;
  [[nodiscard]] bool allows(const Rights& rights, MemoryUse use) const;
  [[nodiscard]] std::uint64_t page_base(std::uint64_t entry, unsigned shift) const;
  [[nodiscard]] bool has_wide_entries() const;
  [[nodiscard]] unsigned levels() const;

  const reprise_guest_state& state_;
  GuestMemory& memory_;
};

}  // namespace monitor
