// See the header. Offsets are those of the ACPI Specification 6.5.
#include "arch/x86_64/acpi.hpp"

#include <string_view>

#include "arch/x86_64/bytes.hpp"

namespace arch {
namespace {

using Bytes = std::span<const std::byte>;
using reprise::PhysAddr;

constexpr std::size_t header_size = 36;       // §5.2.6: signature, length at 4, checksum
constexpr std::size_t largest_table = 1 << 20;  // what claims to be longer is broken

bool sums_to_zero(Bytes bytes) {
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += static_cast<unsigned>(b);
  return !bytes.empty() && sum % 256 == 0;
}

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         __builtin_memcmp(bytes.data(), text.data(), text.size()) == 0;
}

std::uint64_t number_at(Bytes table, std::size_t offset, std::size_t size) {
  if (size == 8) return read_number<std::uint64_t>(table, offset).value_or(0);
  if (size == 4) return read_number<std::uint32_t>(table, offset).value_or(0);
  if (size == 2) return read_number<std::uint16_t>(table, offset).value_or(0);
  return read_number<std::uint8_t>(table, offset).value_or(0);
}

// The whole table at `address`, or an empty span.
Bytes table_at(PhysAddr address, ReadPhysical read) {
  const Bytes header = read(address, header_size);
  const auto length = read_number<std::uint32_t>(header, 4);
  if (!length || *length < header_size || *length > largest_table) return {};
  const Bytes table = read(address, *length);
  return sums_to_zero(table) ? table : Bytes{};
}

// MADT (§5.2.12): a list of entries, each with its type and length in front.
void read_madt(Bytes table, AcpiFacts& facts) {
  facts.local_apic = PhysAddr{number_at(table, 36, 4)};
  for (std::size_t at = 44; at + 2 <= table.size();) {
    const std::size_t length = number_at(table, at + 1, 1);
    const auto entry = part(table, at, length);
    if (length < 2 || !entry) return;
    switch (number_at(*entry, 0, 1)) {
      case 0:  // local APIC: flags bit 0 says that the processor may be used
        facts.processors += number_at(*entry, 4, 4) & 1;
        break;
      case 1:
        if (length >= 12) {
          facts.io_apics.add({PhysAddr{number_at(*entry, 4, 4)},
                              static_cast<std::uint32_t>(number_at(*entry, 8, 4))});
        }
        break;
      case 2:  // ISA interrupt: flags §5.2.12.5; polarity and trigger 3 mean low and level
        if (length >= 10) {
          const std::uint64_t flags = number_at(*entry, 8, 2);
          facts.sources.add({static_cast<std::uint8_t>(number_at(*entry, 3, 1)),
                             static_cast<std::uint32_t>(number_at(*entry, 4, 4)),
                             (flags & 3) == 3, (flags >> 2 & 3) == 3});
        }
        break;
      case 5:  // a 64-bit address for the local APIC
        if (length >= 12) facts.local_apic = PhysAddr{number_at(*entry, 4, 8)};
        break;
      case 9:  // local x2APIC
        facts.processors += number_at(*entry, 8, 4) & 1;
        break;
      default: break;
    }
    at += length;
  }
}

// A generic address (§5.2.3.2): space at 0, address at 4.
constexpr std::size_t space_memory = 0;
constexpr std::size_t space_port = 1;

// FADT (§5.2.9).
void read_fadt(Bytes table, AcpiFacts& facts) {
  const std::uint64_t flags = number_at(table, 112, 4);
  constexpr std::uint64_t timer_32 = 1 << 8;
  constexpr std::uint64_t reset_supported = 1 << 10;
  constexpr std::uint64_t hardware_reduced = 1 << 20;
  facts.century_register = static_cast<std::uint8_t>(number_at(table, 108, 1));
  facts.timer_has_32_bits = (flags & timer_32) != 0;
  if ((flags & hardware_reduced) == 0) {
    std::uint64_t port = number_at(table, 76, 4);
    const std::uint64_t extended = number_at(table, 212, 8);
    if (extended != 0 && number_at(table, 208, 1) == space_port) port = extended;
    if (port != 0 && port <= 0xfffc) facts.timer_port = static_cast<std::uint16_t>(port);
  }
  const std::uint64_t space = number_at(table, 116, 1);
  const std::uint64_t address = number_at(table, 120, 8);
  if ((flags & reset_supported) != 0 && address != 0 &&
      (space == space_port ? address <= 0xffff : space == space_memory)) {
    facts.reset = {space == space_port ? ResetRegister::Space::Port : ResetRegister::Space::Memory,
                   address, static_cast<std::uint8_t>(number_at(table, 128, 1))};
  }
}

struct Root {
  PhysAddr table;
  std::size_t pointer_size;
};

// RSDP (§5.2.5.3): revision 2 has a second checksum and the 64-bit table.
std::optional<Root> read_root(PhysAddr root, ReadPhysical read) {
  constexpr std::size_t old_size = 20;
  constexpr std::size_t new_size = 36;
  const Bytes pointer = read(root, old_size);
  if (!begins_with(pointer, "RSD PTR ") || !sums_to_zero(pointer)) return std::nullopt;
  if (number_at(pointer, 15, 1) >= 2) {
    const Bytes longer = read(root, new_size);
    const std::uint64_t table = number_at(longer, 24, 8);
    if (sums_to_zero(longer) && table != 0) return Root{PhysAddr{table}, 8};
  }
  return Root{PhysAddr{number_at(pointer, 16, 4)}, 4};
}

}  // namespace

AcpiFacts read_acpi(PhysAddr root, ReadPhysical read) {
  AcpiFacts facts;
  const auto found = root == PhysAddr{} ? std::nullopt : read_root(root, read);
  if (!found) return facts;
  const Bytes list = table_at(found->table, read);
  for (std::size_t at = header_size; at + found->pointer_size <= list.size();
       at += found->pointer_size) {
    const Bytes table = table_at(PhysAddr{number_at(list, at, found->pointer_size)}, read);
    if (table.empty()) continue;
    ++facts.tables;
    if (begins_with(table, "APIC")) read_madt(table, facts);
    if (begins_with(table, "FACP")) read_fadt(table, facts);
  }
  return facts;
}

InterruptSource AcpiFacts::source_of(std::uint8_t isa_line) const {
  for (const InterruptSource& source : sources.view()) {
    if (source.isa_line == isa_line) return source;
  }
  return {isa_line, isa_line, false, false};
}

}  // namespace arch
