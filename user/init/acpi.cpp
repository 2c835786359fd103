// See the header. Offsets are those of the ACPI Specification 6.5.
#include "user/init/acpi.hpp"

#include <string_view>

namespace reprise {
namespace {

constexpr std::size_t isa_lines = 16;  // those beyond are taken to be active low, level triggered

constexpr std::size_t header_size = 36;         // §5.2.6: signature, length at 4, checksum
constexpr std::size_t largest_table = 1 << 20;  // what claims to be longer is broken

// Holds one part of a table at a time, because tables may be longer. Each copy is a call.
constinit std::array<std::byte, 16 << 10> table_bytes{};
constinit std::array<std::byte, 4 << 10> list_bytes{};

// A table in physical memory, where the firmware put it.
class Table {
public:
  Table(ReadPhysical read, std::span<std::byte> buffer) : read_{read}, buffer_{buffer} {}

  // True: the table is there, with a good checksum. Otherwise it stays empty.
  bool open(std::uint64_t address) {
    use(address, header_size);
    const std::size_t length = value<std::uint32_t>(4);
    return open(address, length < header_size || length > largest_table ? 0 : length);
  }
  bool open(std::uint64_t address, std::size_t size) {
    use(address, size);
    const bool good = size != 0 && sums_to_zero();
    if (!good) size_ = 0;
    return good;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  // The number at `offset`; 0 when it does not lie wholly within the table.
  template <class T>
  [[nodiscard]] T value(std::size_t offset) {
    T number = 0;
    if (offset > size_ || size_ - offset < sizeof(T)) return number;
    if ((offset < first_ || offset - first_ + sizeof(T) > copied_) && !copy_from(offset)) {
      return number;
    }
    __builtin_memcpy(&number, buffer_.data() + (offset - first_), sizeof(T));
    return number;
  }
  [[nodiscard]] std::uint8_t byte(std::size_t offset) { return value<std::uint8_t>(offset); }
  [[nodiscard]] std::uint32_t word(std::size_t offset) { return value<std::uint32_t>(offset); }

  [[nodiscard]] bool begins_with(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (byte(i) != static_cast<std::uint8_t>(text[i])) return false;
    }
    return true;
  }

private:
  void use(std::uint64_t address, std::size_t size) {
    address_ = address;
    size_ = size;
    copied_ = 0;
  }

  bool copy_from(std::size_t offset) {
    const std::size_t left = size_ - offset;
    first_ = offset;
    copied_ = left < buffer_.size() ? left : buffer_.size();
    if (!read_(address_ + offset, buffer_.first(copied_))) copied_ = 0;
    return copied_ != 0;
  }

  [[nodiscard]] bool sums_to_zero() {
    unsigned sum = 0;
    for (std::size_t at = 0; at < size_; at += copied_) {
      if (!copy_from(at)) return false;
      for (const std::byte b : buffer_.first(copied_)) sum += static_cast<unsigned>(b);
    }
    return sum % 256 == 0;
  }

  ReadPhysical read_;
  std::span<std::byte> buffer_;
  std::uint64_t address_ = 0;
  std::size_t size_ = 0;
  std::size_t first_ = 0, copied_ = 0;  // the part in the buffer: from where, how many bytes
};

void add_io_apic(const IoApicEntry& found, InterruptControllers& interrupts) {
  for (IoApicEntry& entry : interrupts.io_apics) {
    if (entry.address != 0) continue;
    entry = found;
    return;
  }
}

// MADT (§5.2.12): a list of entries, each with its type and length in front. Flags of an override,
// §5.2.12.5: polarity and trigger 3 mean low and level.
void read_madt(Table& table, InterruptControllers& interrupts) {
  constexpr std::uint8_t io_apic = 1, isa_override = 2;
  for (std::size_t at = 44; at + 2 <= table.size();) {
    const std::uint8_t type = table.byte(at), length = table.byte(at + 1);
    if (length < 2 || length > table.size() - at) return;
    if (type == io_apic && length >= 12) {
      add_io_apic({table.word(at + 4), table.word(at + 8)}, interrupts);
    }
    const std::size_t line = table.byte(at + 3);
    if (type == isa_override && length >= 10 && line < isa_lines) {
      const unsigned flags = table.byte(at + 8);
      interrupts.lines[line] = {table.word(at + 4), (flags & 3) == 3, (flags >> 2 & 3) == 3};
    }
    at += length;
  }
}

// FADT (§5.2.9). A generic address (§5.2.3.2) has its space in front, the number 4 bytes later.
void read_fadt(Table& table, AcpiFacts& facts) {
  constexpr std::uint32_t timer_32 = 1 << 8, reset_supported = 1 << 10, hardware_reduced = 1 << 20;
  constexpr std::uint8_t port_space = 1;
  const std::uint32_t flags = table.word(112);
  facts.century_register = table.byte(108);
  facts.timer_has_32_bits = (flags & timer_32) != 0;
  if ((flags & hardware_reduced) == 0) {
    const auto extended = table.value<std::uint64_t>(212);
    const bool is_extended = extended != 0 && table.byte(208) == port_space;
    const std::uint64_t port = is_extended ? extended : table.word(76);
    if (port <= 0xfffc) facts.timer_port = static_cast<std::uint16_t>(port);
  }
  const std::uint8_t space = table.byte(116);
  const auto address = table.value<std::uint64_t>(120);
  const std::uint64_t limit = space == port_space ? 0xffff : ~0ull;
  if ((flags & reset_supported) != 0 && space <= port_space && address != 0 && address <= limit) {
    facts.reset = {static_cast<ResetRegister::Space>(space), address, table.byte(128)};
  }
}

// RSDP (§5.2.5.3): revision 2 has a second checksum and the 64-bit list. Opens the list and returns
// the size of its pointers. 0: there is no list.
std::size_t open_list(std::uint64_t root, ReadPhysical read, Table& list) {
  Table pointer{read, table_bytes};
  if (!pointer.open(root, 20) || !pointer.begins_with("RSD PTR ")) return 0;
  const std::uint32_t old_list = pointer.word(16);
  if (pointer.byte(15) >= 2 && pointer.open(root, 36)) {
    const auto address = pointer.value<std::uint64_t>(24);
    if (address != 0) return list.open(address) ? 8 : 0;
  }
  return list.open(old_list) ? 4 : 0;
}

}  // namespace

AcpiFacts read_acpi(std::uint64_t root, ReadPhysical read) {
  AcpiFacts facts;
  for (std::size_t line = 0; line < facts.interrupts.lines.size(); ++line) {
    const bool as_pci = line >= isa_lines;
    facts.interrupts.lines[line] = {static_cast<std::uint16_t>(line), as_pci, as_pci};
  }
  if (root == 0) return facts;
  Table list{read, list_bytes}, table{read, table_bytes};
  const std::size_t size = open_list(root, read, list);
  for (std::size_t at = header_size; size != 0 && at + size <= list.size(); at += size) {
    if (!table.open(size == 8 ? list.value<std::uint64_t>(at) : list.word(at))) continue;
    ++facts.tables;
    if (table.begins_with("APIC")) read_madt(table, facts.interrupts);
    if (table.begins_with("FACP")) read_fadt(table, facts);
  }
  return facts;
}

}  // namespace reprise
