// See the header. Offsets are those of the ACPI Specification 6.5.
#include "arch/x86_64/acpi.hpp"

#include <string_view>

namespace arch {
namespace {

using reprise::PhysAddr;

constexpr std::size_t header_size = 36;       // §5.2.6: signature, length at 4, checksum
constexpr std::size_t largest_table = 1 << 20;  // what claims to be longer is broken

std::uint8_t byte_at(Bytes table, std::size_t offset) {
  return value_at<std::uint8_t>(table, offset);
}
std::uint32_t word_at(Bytes table, std::size_t offset) {
  return value_at<std::uint32_t>(table, offset);
}

bool sums_to_zero(Bytes bytes) {
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += static_cast<unsigned>(b);
  return !bytes.empty() && sum % 256 == 0;
}

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         __builtin_memcmp(bytes.data(), text.data(), text.size()) == 0;
}

// The whole table at `address`, or an empty span.
Bytes table_at(PhysAddr address, ReadPhysical read) {
  const std::size_t length = word_at(read(address, header_size), 4);
  if (length < header_size || length > largest_table) return {};
  const Bytes table = read(address, length);
  return sums_to_zero(table) ? table : Bytes{};
}

void add_io_apic(Bytes entry, AcpiFacts& facts) {
  if (entry.size() < 12 || facts.io_apic_count == facts.io_apics.size()) return;
  facts.io_apics[facts.io_apic_count++] = {PhysAddr{word_at(entry, 4)}, word_at(entry, 8)};
}

// Flags, §5.2.12.5: polarity and trigger 3 mean low and level.
void override_isa_line(Bytes entry, AcpiFacts& facts) {
  const std::size_t line = byte_at(entry, 3);
  if (entry.size() < 10 || line >= facts.isa.size()) return;
  const unsigned flags = byte_at(entry, 8);
  facts.isa[line] = {word_at(entry, 4), (flags & 3) == 3, (flags >> 2 & 3) == 3};
}

// MADT (§5.2.12): a list of entries, each with its type and length in front.
void read_madt(Bytes table, AcpiFacts& facts) {
  for (std::size_t at = 44; at + 2 <= table.size();) {
    const std::size_t length = byte_at(table, at + 1);
    if (length < 2 || length > table.size() - at) return;
    const Bytes entry = table.subspan(at, length);
    if (byte_at(entry, 0) == 1) add_io_apic(entry, facts);
    if (byte_at(entry, 0) == 2) override_isa_line(entry, facts);
    at += length;
  }
}

// FADT (§5.2.9). A generic address (§5.2.3.2) has its space in front, the number 4 bytes later.
void read_fadt(Bytes table, AcpiFacts& facts) {
  constexpr std::uint32_t timer_32 = 1 << 8, reset_supported = 1 << 10, hardware_reduced = 1 << 20;
  constexpr std::uint8_t port_space = 1;
  const std::uint32_t flags = word_at(table, 112);
  facts.century_register = byte_at(table, 108);
  facts.timer_has_32_bits = (flags & timer_32) != 0;
  if ((flags & hardware_reduced) == 0) {
    const auto extended = value_at<std::uint64_t>(table, 212);
    const bool is_extended = extended != 0 && byte_at(table, 208) == port_space;
    const std::uint64_t port = is_extended ? extended : word_at(table, 76);
    if (port <= 0xfffc) facts.timer_port = static_cast<std::uint16_t>(port);
  }
  const std::uint8_t space = byte_at(table, 116);
  const auto address = value_at<std::uint64_t>(table, 120);
  const std::uint64_t limit = space == port_space ? 0xffff : ~0ull;
  if ((flags & reset_supported) != 0 && space <= port_space && address != 0 && address <= limit) {
    facts.reset = {static_cast<ResetRegister::Space>(space), address, byte_at(table, 128)};
  }
}

struct TableList {
  Bytes table;
  std::size_t pointer_size;
};

// RSDP (§5.2.5.3): revision 2 has a second checksum and the 64-bit list.
TableList read_root(PhysAddr root, ReadPhysical read) {
  const Bytes pointer = read(root, 20);
  if (!begins_with(pointer, "RSD PTR ") || !sums_to_zero(pointer)) return {};
  if (byte_at(pointer, 15) >= 2) {
    const Bytes longer = read(root, 36);
    const auto list = value_at<std::uint64_t>(longer, 24);
    if (sums_to_zero(longer) && list != 0) return {table_at(PhysAddr{list}, read), 8};
  }
  return {table_at(PhysAddr{word_at(pointer, 16)}, read), 4};
}

}  // namespace

constinit AcpiFacts acpi_facts{};

AcpiFacts read_acpi(PhysAddr root, ReadPhysical read) {
  AcpiFacts facts;
  for (std::uint32_t line = 0; line < facts.isa.size(); ++line) facts.isa[line].interrupt = line;
  if (root == PhysAddr{}) return facts;
  const auto [list, size] = read_root(root, read);
  for (std::size_t at = header_size; at + size <= list.size(); at += size) {
    const std::uint64_t address = size == 8 ? value_at<std::uint64_t>(list, at) : word_at(list, at);
    const Bytes table = table_at(PhysAddr{address}, read);
    if (table.empty()) continue;
    ++facts.tables;
    if (begins_with(table, "APIC")) read_madt(table, facts);
    if (begins_with(table, "FACP")) read_fadt(table, facts);
  }
  return facts;
}

}  // namespace arch
