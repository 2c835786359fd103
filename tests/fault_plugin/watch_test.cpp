// The books of watched bytes, the pages that the walk of page tables reads, and instructions that
// change what the processor reads by itself.
#include "watch.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "page_tables.hpp"
#include "system_instruction.hpp"
#include "tests/catch.hpp"

namespace {

using End = fault::Watch::End;

// Watches of these instructions and bytes, all of which have begun.
fault::Watches begun(std::vector<fault::Watch> given) {
  fault::Watches watches{std::move(given)};
  while (watches.next().has_value()) watches.begin_next({});
  return watches;
}

std::vector<End> ends_of(const fault::Watches& watches) {
  std::vector<End> ends;
  for (const fault::Watch& each : watches.all()) ends.push_back(each.end);
  return ends;
}

fault::SystemInstruction kind_of(std::vector<std::uint8_t> code) { return fault::kind_of(code); }

}  // namespace

TEST_CASE("the first access to a byte decides, and no other byte's does") {
  fault::Watches watches =
      begun({{.at = 1, .byte = 0x1007}, {.at = 1, .byte = 0x1008}, {.at = 1, .byte = 0x2000}});
  watches.access(0x1008, 8, End::Written, 0x77);
  watches.access(0x1000, 8, End::Read, 0x78);
  watches.access(0x1000, 16, End::Written, 0x79);
  watches.access(0x5000, 8, End::Read, 0x7a);
  CHECK(ends_of(watches) == std::vector{End::Read, End::Written, End::Kept});
  CHECK(watches.all()[0].by == 0x78);
  CHECK(watches.all()[1].by == 0x77);
}

TEST_CASE("an access before a watch has begun does not count") {
  fault::Watches watches{{{.at = 9, .byte = 0x1000}, {.at = 5, .byte = 0x1001}}};
  CHECK(watches.next() == 5);
  watches.begin_next({.begun_at = 5, .rip = 0x40, .ring = 3});
  CHECK(watches.next() == 9);
  watches.access(0x1000, 2, End::Read, 0);
  watches.begin_next({.begun_at = 9});
  CHECK_FALSE(watches.next().has_value());
  CHECK(ends_of(watches) == std::vector{End::Kept, End::Read});
  CHECK(watches.all()[1].begun_at == 5);
  CHECK(watches.all()[1].rip == 0x40);
  CHECK(watches.all()[1].ring == 3);
}

TEST_CASE("watches of a byte are of one interval until it is accessed") {
  fault::Watches watches{{{.at = 1, .byte = 0x1000},
                          {.at = 2, .byte = 0x1000},
                          {.at = 3, .byte = 0x1001},
                          {.at = 4, .byte = 0x1000}}};
  for (int i = 0; i < 3; ++i) watches.begin_next({});
  watches.access(0x1000, 1, End::Read, 0);
  watches.begin_next({});
  watches.access(0x1000, 2, End::Read, 0);
  const auto& all = watches.all();
  CHECK(all[0].interval == all[1].interval);
  CHECK(all[0].interval != all[2].interval);
  CHECK(all[0].interval != all[3].interval);
  CHECK(all[2].interval != all[3].interval);
  CHECK(ends_of(watches) == std::vector(4, End::Read));
}

TEST_CASE("nothing is known of a page once its accesses are not all seen") {
  fault::Watches watches{
      {{.at = 1, .byte = 0x1000}, {.at = 2, .byte = 0x1001}, {.at = 3, .byte = 0x2000}}};
  watches.begin_next({});
  watches.exclude(1);
  watches.exclude(77);
  watches.begin_next({});
  watches.begin_next({});
  watches.access(0x1000, 2, End::Written, 0);
  watches.access(0x2000, 1, End::Written, 0);
  CHECK(ends_of(watches) == std::vector{End::Unseen, End::Unseen, End::Written});
}

TEST_CASE("once no access is seen nothing more is known, and what was known stays") {
  fault::Watches watches{
      {{.at = 1, .byte = 0x1000}, {.at = 1, .byte = 0x2000}, {.at = 3, .byte = 0x2001}}};
  watches.begin_next({});
  watches.begin_next({});
  watches.access(0x1000, 1, End::Written, 0);
  watches.exclude_all();
  watches.begin_next({});
  CHECK(ends_of(watches) == std::vector{End::Written, End::Unseen, End::Unseen});
}

TEST_CASE("a list of watches is read, and anything else refused") {
  const std::string name = std::string{std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp"} +
                           "/watches-" + std::to_string(std::rand());
  for (const auto& [text, count] : std::map<std::string, int>{
           {"5 4096\n6 4097\n", 2}, {"", 0}, {"5\n", -1}, {"5 6 7\n", -1}, {"x 6\n", -1}}) {
    std::ofstream{name} << text;
    const auto found = fault::read_watches(name);
    CHECK((found.has_value() ? static_cast<int>(found->size()) : -1) == count);
  }
  std::remove(name.c_str());
  CHECK_FALSE(fault::read_watches(name).has_value());
}

TEST_CASE("each page that the walk may read is found, also one that is linked later") {
  std::map<std::uint64_t, std::uint64_t> words{
      {0x1000, 0x2007},      // of the top level
      {0x1ff8, 0x3007},      // the kernel's half, too
      {0x2000, 0x20'0087},   // a large page
      {0x6000, 0x7007},      // of a table that is not linked yet
      {0x9000, 0x10'0007}};  // of a page that is no table
  std::set<std::uint64_t> found;
  const auto is_there = [](std::uint64_t address) { return address < 0x10'0000; };
  fault::WalkedPages pages{
      {.is_there = is_there, .read = [&](std::uint64_t at) { return words[at]; }},
      [&](std::uint64_t page) { found.insert(page); }};
  pages.add_root(0x1018);
  CHECK(found == std::set<std::uint64_t>{1, 2, 3});
  words[0x9008] = 0x8007;
  pages.written(0x9008, 8);
  CHECK(found.size() == 3);
  // Only some bytes of the entry are written last.
  words[0x3010] = 0x6007;
  pages.written(0x3010, 1);
  CHECK(found == std::set<std::uint64_t>{1, 2, 3, 6, 7});
  // The last level names pages, and these are no tables.
  words[0x7000] = 0xa007;
  pages.written(0x7000, 8);
  CHECK(found.size() == 5);
  pages.add_root(0xb000);
  CHECK(found.contains(0xb));
}

TEST_CASE("instructions that change what the processor reads by itself are known") {
  using fault::SystemInstruction;
  CHECK(kind_of({0x0f, 0x22, 0xd8}) == SystemInstruction::Control);                  // mov cr3, rax
  CHECK(kind_of({0x44, 0x0f, 0x22, 0xc0}) == SystemInstruction::Control);            // mov cr8, rax
  const std::vector<std::vector<std::uint8_t>> structures{{0x0f, 0x01, 0x10},        // lgdt [rax]
                                                          {0x41, 0x0f, 0x01, 0x18},  // lidt [r8]
                                                          {0x0f, 0x00, 0xd8},        // ltr ax
                                                          {0x66, 0x0f, 0x00, 0xd0},  // lldt ax
                                                          {0x0f, 0x01, 0xd8},        // vmrun
                                                          {0x0f, 0x01, 0xdb},        // vmsave
                                                          {0x0f, 0xaa}};             // rsm
  for (const auto& code : structures) CHECK(kind_of(code) == SystemInstruction::Structures);
  const std::vector<std::vector<std::uint8_t>> others{{0x0f, 0x01, 0xf8},        // swapgs
                                                      {0x0f, 0x01, 0xd0},        // xgetbv
                                                      {0x0f, 0x01, 0x38},        // invlpg [rax]
                                                      {0x0f, 0x20, 0xd8},        // mov rax, cr3
                                                      {0x0f, 0x05},              // syscall
                                                      {0x48, 0x8b, 0x0f, 0x22},  // mov rcx, [rdi]
                                                      {0x90},
                                                      {0x66},
                                                      {}};
  for (const auto& code : others) CHECK(kind_of(code) == SystemInstruction::No);
}
