#include "user/init/acpi.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using reprise::AcpiFacts;

namespace {

using Table = std::vector<std::byte>;

// Fake physical memory: tables at addresses, nothing between them.
std::map<std::uint64_t, Table> memory;

bool read_memory(std::uint64_t start, std::span<std::byte> to) {
  for (const auto& [address, table] : memory) {
    if (start < address || start - address > table.size()) continue;
    if (to.size() > table.size() - (start - address)) continue;
    std::memcpy(to.data(), table.data() + (start - address), to.size());
    return true;
  }
  return false;
}

template <class T>
void put(Table& table, std::size_t offset, T value) {
  if (table.size() < offset + sizeof(T)) table.resize(offset + sizeof(T));
  std::memcpy(table.data() + offset, &value, sizeof(T));
}

void fix_checksum(Table& table, std::size_t at, std::size_t size) {
  table[at] = std::byte{0};
  unsigned sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<unsigned>(table[i]);
  table[at] = static_cast<std::byte>(0x100 - sum % 0x100);
}

Table sealed(const char* signature, Table table) {
  std::memcpy(table.data(), signature, 4);
  put(table, 4, static_cast<std::uint32_t>(table.size()));
  fix_checksum(table, 9, table.size());
  return table;
}

Table root(std::uint8_t revision) {
  Table table(36);
  std::memcpy(table.data(), "RSD PTR ", 8);
  put(table, 15, revision);
  put(table, 16, std::uint32_t{0x2000});
  put(table, 20, std::uint32_t{36});
  put(table, 24, std::uint64_t{0x1'0000'3000});
  fix_checksum(table, 8, 20);
  fix_checksum(table, 32, 36);
  return table;
}

Table madt() {
  Table table(44);
  put(table, 36, std::uint32_t{0xfee00000});
  const auto entry = [&](std::initializer_list<unsigned> bytes) {
    for (const unsigned b : bytes) table.push_back(static_cast<std::byte>(b));
  };
  entry({0, 8, 0, 0, 1, 0, 0, 0});                           // a processor
  entry({0, 8, 1, 1, 0, 0, 0, 0});                           // one that is switched off
  entry({1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0});        // I/O APIC
  entry({2, 10, 0, 0, 2, 0, 0, 0, 0, 0});                    // timer on pin 2
  entry({2, 10, 0, 4, 20, 0, 0, 0, 0x0f, 0});                // serial on pin 20, low, level
  entry({9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});  // a processor with an x2APIC id
  return sealed("APIC", table);
}

Table fadt() {
  Table table(244);
  put(table, 76, std::uint32_t{0x608});
  put(table, 108, std::uint8_t{0x32});
  put(table, 112, std::uint32_t{1 << 8 | 1 << 10});
  put(table, 116, std::uint8_t{1});
  put(table, 120, std::uint64_t{0xcf9});
  put(table, 128, std::uint8_t{6});
  return sealed("FACP", table);
}

void usual_memory(std::uint8_t revision = 2) {
  memory.clear();
  Table rsdt(36);
  put(rsdt, 36, std::uint32_t{0x4000});
  Table xsdt(36);
  put(xsdt, 36, std::uint64_t{0x4000});
  put(xsdt, 44, std::uint64_t{0x5000});
  memory[0x1000] = root(revision);
  memory[0x2000] = sealed("RSDT", rsdt);
  memory[0x1'0000'3000] = sealed("XSDT", xsdt);
  memory[0x4000] = madt();
  memory[0x5000] = fadt();
}

AcpiFacts facts() { return reprise::read_acpi(0x1000, read_memory); }

std::ptrdiff_t io_apics(const AcpiFacts& facts) {
  return std::ranges::count_if(facts.interrupts.io_apics,
                               [](const auto& entry) { return entry.address != 0; });
}

}  // namespace

TEST_CASE("the tables' facts are found through the 64-bit list") {
  usual_memory();
  const AcpiFacts found = facts();
  CHECK(found.tables == 2);
  CHECK(io_apics(found) == 1);
  CHECK(found.interrupts.io_apics[0].address == 0xfec00000);
  CHECK(found.timer_port == 0x608);
  CHECK(found.timer_has_32_bits);
  CHECK(found.century_register == 0x32);
  REQUIRE(found.reset);
  CHECK(found.reset->space == reprise::ResetRegister::Space::Port);
  CHECK(found.reset->address == 0xcf9);
  CHECK(found.reset->value == 6);
}

TEST_CASE("an old root leads to the 32-bit list") {
  usual_memory(0);
  const AcpiFacts found = facts();
  CHECK(found.tables == 1);
  CHECK(io_apics(found) == 1);
  CHECK(found.timer_port == 0);
}

TEST_CASE("an ISA interrupt is where its override says, else at its own number") {
  usual_memory();
  const AcpiFacts found = facts();
  CHECK(found.interrupts.lines[4].interrupt == 20);
  CHECK(found.interrupts.lines[4].active_low != 0);
  CHECK(found.interrupts.lines[4].level_triggered != 0);
  CHECK(found.interrupts.lines[0].interrupt == 2);
  CHECK(found.interrupts.lines[0].active_low == 0);
  CHECK(found.interrupts.lines[3].interrupt == 3);
  CHECK(found.interrupts.lines[15].level_triggered == 0);
  CHECK(found.interrupts.lines[16].interrupt == 16);  // PCI's
  CHECK(found.interrupts.lines[16].active_low != 0);
  CHECK(found.interrupts.lines[31].level_triggered != 0);
}

TEST_CASE("the extended timer block is used when it lies in ports, the reset only when supported") {
  usual_memory();
  Table table = fadt();
  put(table, 208, std::uint8_t{1});
  put(table, 212, std::uint64_t{0x1808});
  put(table, 112, std::uint32_t{0});
  memory[0x5000] = sealed("FACP", table);
  CHECK(facts().timer_port == 0x1808);
  CHECK_FALSE(facts().reset);
  put(table, 208, std::uint8_t{0});
  memory[0x5000] = sealed("FACP", table);
  CHECK(facts().timer_port == 0x608);
  put(table, 112, std::uint32_t{1 << 20});  // hardware-reduced: the old registers mean nothing
  memory[0x5000] = sealed("FACP", table);
  CHECK(facts().timer_port == 0);
}

TEST_CASE("a table whose checksum is wrong is left out, the others are used") {
  usual_memory();
  memory[0x4000][50] ^= std::byte{1};
  const AcpiFacts found = facts();
  CHECK(found.tables == 1);
  CHECK(io_apics(found) == 0);
  CHECK(found.timer_port != 0);
}

TEST_CASE("a table of many pieces counts as a whole, one that is too long not at all") {
  usual_memory();
  Table table = madt();
  while (table.size() < 100'000) table.insert(table.end(), {std::byte{9}, std::byte{3}, {}});
  const std::uint8_t last[] = {2, 10, 0, 7, 23, 0, 0, 0, 0, 0};
  for (const std::uint8_t byte : last) table.push_back(std::byte{byte});
  memory[0x4000] = sealed("APIC", table);
  memory[0x200000] = std::exchange(memory[0x5000], {});  // the long one would reach it
  put(memory[0x1'0000'3000], 44, std::uint64_t{0x200000});
  fix_checksum(memory[0x1'0000'3000], 9, memory[0x1'0000'3000].size());
  CHECK(facts().tables == 2);
  CHECK(io_apics(facts()) == 1);
  CHECK(facts().interrupts.lines[7].interrupt == 23);
  memory[0x4000].back() ^= std::byte{1};
  CHECK(facts().tables == 1);
  table.resize((1 << 20) + 1);
  memory[0x4000] = sealed("APIC", table);
  CHECK(facts().tables == 1);
  memory[0x4000].resize(1 << 20);
  memory[0x4000] = sealed("APIC", memory[0x4000]);
  CHECK(facts().tables == 2);
}

TEST_CASE("I/O APICs beyond the eighth are left out") {
  usual_memory();
  Table table = madt();
  for (std::uint8_t i = 1; i < 12; ++i) {
    const std::uint8_t entry[] = {1, 12, i, 0, 0, i, 0xc0, 0xfe, i, 0, 0, 0};
    for (const std::uint8_t byte : entry) table.push_back(std::byte{byte});
  }
  memory[0x4000] = sealed("APIC", table);
  CHECK(io_apics(facts()) == 8);
  CHECK(facts().interrupts.io_apics[7].address == 0xfec00700);
  CHECK(facts().interrupts.io_apics[7].first_interrupt == 7);
}

TEST_CASE("no root, a root with a wrong checksum, or unreachable memory gives no facts") {
  usual_memory();
  CHECK(reprise::read_acpi(0, read_memory).tables == 0);
  CHECK(reprise::read_acpi(0x9000, read_memory).tables == 0);
  memory[0x1000][17] ^= std::byte{0x10};
  CHECK(facts().tables == 0);
}

TEST_CASE("short tables, endless entries and random damage stay within bounds") {
  std::mt19937 random{11};
  for (int round = 0; round < 5'000; ++round) {
    usual_memory();
    for (const std::uint64_t at : {0x4000, 0x5000}) {
      Table table = memory[at];
      table.resize(36 + random() % (table.size() - 35));
      table.shrink_to_fit();
      for (int flips = 0; flips < 4 && table.size() > 37; ++flips) {
        table[36 + random() % (table.size() - 36)] ^= static_cast<std::byte>(1u << random() % 8);
      }
      memory[at] = sealed(at == 0x4000 ? "APIC" : "FACP", table);
    }
    const AcpiFacts found = facts();
    CHECK(found.tables == 2);
    CHECK(io_apics(found) <= 8);
  }
}
