// What the bits of a page's entry mean, for each kind of table that the CPU walks. The walk itself
// is the same for all: four levels, the frame in bits 51:12, bit 7 for a large page.
//
// Beside what the CPU reads, an entry holds what the kernel has to know, in bits that the CPU
// ignores:
//
//   mapped    the page exists; the entry of a page that does not is zero
//   writable  the process may write, whatever the hardware allows now
//   shared    the frame is not the page's own
//   device    no memory: not present but between open_device() and close_device()
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/page_table.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/registers.hpp"

namespace arch::x86 {

// What both formats do with the software bits that they name.
template <class Format>
[[nodiscard]] constexpr std::uint64_t software_bits(const Mapping& m) {
  std::uint64_t bits = Format::mapped;
  if (m.permissions.write) bits |= Format::writable;
  if (m.ownership != Ownership::Owned) bits |= Format::shared;
  if (m.ownership == Ownership::Device) bits |= Format::device;
  return bits;
}
template <class Format>
[[nodiscard]] constexpr Ownership ownership_in(std::uint64_t entry) {
  if ((entry & Format::device) != 0) return Ownership::Device;
  return (entry & Format::shared) != 0 ? Ownership::Shared : Ownership::Owned;
}

// The tables of the CPU itself (Intel SDM Vol. 3A §4.5). AMD's nested tables are the same (AMD APM
// Vol. 2 §15.25.5). P is the permission to read, Xd denies that to execute. Bits 9 to 11 and 52 are
// ignored, as are all others when P is clear.
struct HostFormat {
  using E = TableEntry;
  static constexpr std::uint64_t mapped = bit(9), writable = bit(10), shared = bit(11),
                                 device = bit(52), accessed = E::A, dirty = E::D;
  // Entries above the pages allow everything.
  static constexpr std::uint64_t inner_rights = E::P | E::Rw | E::Us;
  // The rest of the root is the kernel's half.
  static constexpr std::size_t root_slots = 256;
  static constexpr bool has_kernel_half = true;
  static constexpr std::uint64_t open_rights =
      E::P | E::Rw | static_cast<std::uint64_t>(CacheMode::Uncached);

  [[nodiscard]] static constexpr std::uint64_t encode(const Mapping& m) {
    std::uint64_t entry = address_of(m.frame).value() | E::Us | software_bits<HostFormat>(m);
    if (m.permissions.read) entry |= E::P;
    if (!m.permissions.execute) entry |= E::Xd;
    if (m.write_access == WriteAccess::Enabled) entry |= E::Rw;
    return entry;
  }
  // The bits that stay when another frame comes behind the page.
  static constexpr std::uint64_t rights = E::P | E::Us | E::Xd | mapped | writable;
  static constexpr std::uint64_t write_enabled = E::Rw;
  [[nodiscard]] static constexpr Permissions permissions(std::uint64_t entry) {
    return {.read = (entry & E::P) != 0,
            .write = (entry & writable) != 0,
            .execute = (entry & E::Xd) == 0};
  }
  [[nodiscard]] static constexpr bool is_write_enabled(std::uint64_t entry) {
    return (entry & E::Rw) != 0;
  }

  static void activate(reprise::FrameNumber root);
  static void invalidate(reprise::PageNumber page);
  static void invalidate_all();
};

// Intel's extended page tables, for guests (Intel SDM Vol. 3C §29.3.2). R, W and X are rights; an
// entry without any is not present, so the permission to execute has a software bit, too. Bits 11
// and 52 to 56 are ignored. What invalidates is defined with the code that enters guests.
struct EptFormat {
  static constexpr std::uint64_t R = bit(0), W = bit(1), X = bit(2), memory_type = 7 << 3,
                                 write_back = 6 << 3, uncached = 0 << 3;
  static constexpr std::uint64_t mapped = bit(11), writable = bit(52), shared = bit(53),
                                 device = bit(54), executable = bit(55), accessed = bit(8),
                                 dirty = bit(9);
  static constexpr std::uint64_t inner_rights = R | W | X;
  static constexpr std::size_t root_slots = 512;
  static constexpr bool has_kernel_half = false;
  static constexpr std::uint64_t open_rights = R | W | uncached;

  [[nodiscard]] static constexpr std::uint64_t encode(const Mapping& m) {
    std::uint64_t entry = address_of(m.frame).value() | software_bits<EptFormat>(m);
    if (m.ownership != Ownership::Device) entry |= write_back;
    if (m.permissions.execute) entry |= executable;
    if (!m.permissions.read) return entry;  // W without R is a misconfiguration
    entry |= R;
    if (m.permissions.execute) entry |= X;
    if (m.write_access == WriteAccess::Enabled) entry |= W;
    return entry;
  }
  // The bits that stay when another frame comes behind the page.
  static constexpr std::uint64_t rights = R | X | executable | memory_type | mapped | writable;
  static constexpr std::uint64_t write_enabled = W;
  [[nodiscard]] static constexpr Permissions permissions(std::uint64_t entry) {
    return {.read = (entry & R) != 0,
            .write = (entry & writable) != 0,
            .execute = (entry & executable) != 0};
  }
  [[nodiscard]] static constexpr bool is_write_enabled(std::uint64_t entry) {
    return (entry & W) != 0;
  }

  static void activate(reprise::FrameNumber root);
  static void invalidate(reprise::PageNumber page);
  static void invalidate_all();
};

}  // namespace arch::x86
