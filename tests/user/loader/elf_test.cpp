#include "user/loader/elf.hpp"

#include <fstream>
#include <iterator>

#include "kernel/base/memory_map.hpp"
#include "tests/catch.hpp"
#include "tests/user/loader/elf_builder.hpp"
#include "user/loader/elf_segments.hpp"

using namespace reprise;
using reprise::elf::ProgramHeader;
using test::ElfBuilder;

namespace {

Error error_of(std::span<const std::byte> file) {
  const auto result = parse_elf(file);
  return result ? Error::count : result.error();
}

// The error of the standard file after `change` has spoilt it.
template <class F>
Error error_after(F change) {
  ElfBuilder elf;
  change(elf);
  return error_of(elf.file());
}

std::vector<std::byte> contents(const char* path) {
  std::ifstream stream{path, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{stream}, {}};
  const auto view = std::as_bytes(std::span{bytes});
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("a static program yields its segments, entry and header table") {
  ElfBuilder elf;
  const auto result = parse_elf(elf.file());
  REQUIRE(result);
  const ElfImage& image = result.value();
  REQUIRE(image.segments().size() == 2);
  const ElfSegment& code = image.segments()[0];
  CHECK(code.address == UserAddr{0x400000});
  CHECK((code.read && code.execute && !code.write));
  const ElfSegment& data = image.segments()[1];
  CHECK(data.file_offset == 0x1010);
  CHECK(data.file_bytes == 0x100);
  CHECK(data.memory_bytes == 0x2000);
  CHECK((data.read && data.write && !data.execute));
  CHECK(image.entry == UserAddr{0x400800});
  CHECK(image.header_table == UserAddr{0x400040});
  CHECK(image.header_count == 2);
  CHECK(image.header_bytes == 56);
  CHECK(image.first_page == PageNumber{0x400});
  CHECK(image.end_page == PageNumber{0x404});
  CHECK_FALSE(image.position_independent);
  CHECK_FALSE(image.native_version);
}

TEST_CASE("a position-independent program without interpreter is moved to its base") {
  ElfBuilder elf = ElfBuilder::position_independent();
  elf.put(0x1100, std::array<std::uint64_t, 4>{5, 0x300, 0, 0});  // a string table, then the end
  elf.segments.push_back(ElfBuilder::other(2, 0x1100, 32));
  const auto result = parse_elf(elf.file());
  REQUIRE(result);
  CHECK(result.value().position_independent);
  CHECK(result.value().load_bias == elf::position_independent_base);
  CHECK(result.value().entry == UserAddr{elf::position_independent_base + 0x800});
  CHECK(result.value().segments()[1].address == UserAddr{elf::position_independent_base + 0x1010});
}

TEST_CASE("programs that real linkers made are accepted") {
  const char* path = GENERATE("/bin/busybox", "/bin/static-sh");
  const auto file = contents(path);
  if (file.empty()) return;  // not installed here
  CHECK(parse_elf(file));
}

TEST_CASE("this dynamically linked test is refused as dynamic") {
  CHECK(error_of(contents("/proc/self/exe")) == Error::ElfDynamic);
}

TEST_CASE("a file that is no x86-64 ELF file is refused by its kind") {
  CHECK(error_of({}) == Error::EmptyModule);
  CHECK(error_of(std::as_bytes(std::span{"#!/bin/sh\n"})) == Error::NotElf);
  CHECK(error_of(std::as_bytes(std::span{"\x7f"
                                         "E"})
                     .first(2)) == Error::NotElf);
  CHECK(error_after([](ElfBuilder& e) { e.header.ident[4] = 1; }) == Error::Elf32Bit);
  CHECK(error_after([](ElfBuilder& e) { e.header.ident[4] = 3; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.ident[5] = 2; }) == Error::ElfMachine);
  CHECK(error_after([](ElfBuilder& e) { e.header.ident[6] = 0; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.machine = 183; }) == Error::ElfMachine);
  CHECK(error_after([](ElfBuilder& e) { e.header.type = 1; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.version = 2; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.ehsize = 52; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.phentsize = 32; }) == Error::ElfMalformed);
}

TEST_CASE("a file cut anywhere within headers or segment contents is truncated") {
  ElfBuilder elf;
  auto file = elf.file();
  file.resize(0x1110);  // exactly the end of the last segment's content
  CHECK(error_of(file) == Error::count);
  for (std::size_t size = 4; size < file.size(); size += size < 0xb8 ? 1 : 7)
    REQUIRE(error_of(std::span{file}.first(size)) == Error::ElfTruncated);
}

TEST_CASE("header table and segments outside the file are truncated, also when sums wrap") {
  const std::uint64_t huge = GENERATE(0x3001ull, ~0ull, ~0ull - 0xfff, 1ull << 63);
  CHECK(error_after([=](ElfBuilder& e) { e.header.phoff = huge; }) == Error::ElfTruncated);
  CHECK(error_after([=](ElfBuilder& e) { e.segments[1].offset = huge; }) == Error::ElfTruncated);
  CHECK(error_after([=](ElfBuilder& e) { e.segments[1].filesz = e.segments[1].memsz = huge; }) ==
        Error::ElfTruncated);
  CHECK(error_after([=](ElfBuilder& e) { e.segments.push_back(ElfBuilder::other(4, huge, 16)); }) ==
        Error::ElfTruncated);
}

TEST_CASE("a file without program headers or without a segment to load is malformed") {
  ElfBuilder elf;
  elf.segments.clear();
  CHECK(error_of(elf.file()) == Error::ElfMalformed);
  elf.segments.push_back(ElfBuilder::other(4, 0, 0));
  CHECK(error_of(elf.file()) == Error::ElfMalformed);
}

TEST_CASE("dynamic programs are refused by interpreter or by needed library") {
  CHECK(error_after([](ElfBuilder& e) {
          e.segments.push_back(ElfBuilder::other(3, 0x1200, 10));
        }) == Error::ElfDynamic);
  CHECK(error_after([](ElfBuilder& e) {
          e.put(0x1100, std::array<std::uint64_t, 4>{14, 1, 1, 0x20});
          e.segments.push_back(ElfBuilder::other(2, 0x1100, 32));
        }) == Error::ElfDynamic);
}

TEST_CASE(
    "a dynamic program is refused as such even when a segment before the interpreter is wrong") {
  CHECK(error_after([](ElfBuilder& e) {
          e.segments[0].flags = 7;
          e.segments.push_back(ElfBuilder::other(3, 0x1200, 10));
        }) == Error::ElfDynamic);
}

TEST_CASE("a segment both writable and executable is refused") {
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].flags = 7; }) == Error::ElfWritableCode);
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].flags = 3; }) == Error::ElfWritableCode);
}

TEST_CASE("an executable stack asked for is neither an error nor a segment") {
  ElfBuilder elf;
  ProgramHeader stack{};
  stack.type = 0x6474e551;
  stack.flags = 7;
  elf.segments.push_back(stack);
  const auto result = parse_elf(elf.file());
  REQUIRE(result);
  CHECK(result.value().segments().size() == 2);
}

TEST_CASE("two segments on one page overlap, in either order and by one byte") {
  const auto with_second = [](std::uint64_t address, std::uint64_t memory) {
    return error_after([=](ElfBuilder& e) {
      e.segments[1] = ElfBuilder::load(6, address % 0x1000, address, 0, memory);
    });
  };
  CHECK(with_second(0x400ff0, 1) == Error::ElfOverlap);
  CHECK(with_second(0x3ff000, 0x1001) == Error::ElfOverlap);
  CHECK(with_second(0x3ff000, 0x3000) == Error::ElfOverlap);
  CHECK(with_second(0x3ff000, 0x1000) == Error::count);
  CHECK(with_second(0x401000, 0x1000) == Error::count);
}

TEST_CASE("segments outside the program's part of the user half are refused") {
  const auto at = [](std::uint64_t address, std::uint64_t memory) {
    return error_after([=](ElfBuilder& e) {
      e.segments[1] = ElfBuilder::load(6, address % 0x1000, address, 0, memory);
    });
  };
  CHECK(at(0, 0x1000) == Error::ElfAddress);
  CHECK(at(0xfff, 1) == Error::ElfAddress);
  CHECK(at(0x1000, 0x1000) == Error::count);
  CHECK(at(program_file_base - 0x1000, 0x1000) == Error::count);
  CHECK(at(program_file_base - 0x1000, 0x1001) == Error::ElfAddress);
  CHECK(at(personality_base, 0x1000) == Error::ElfAddress);
  CHECK(at(kernel_base, 0x1000) == Error::ElfAddress);
  CHECK(at(direct_map_base, 0x1000) == Error::ElfAddress);
  CHECK(at(~0ull - 0xfff, 0x1000) == Error::ElfAddress);
  CHECK(at(0x500000, ~0ull) == Error::ElfAddress);
  CHECK(at(0x500000, ~0ull - 0x500000) == Error::ElfAddress);
}

TEST_CASE("a position-independent program may not reach beyond its part either") {
  ElfBuilder elf = ElfBuilder::position_independent();
  elf.segments[1].memsz = program_file_base - elf::position_independent_base - 0x1010;
  CHECK(error_of(elf.file()) == Error::count);
  ++elf.segments[1].memsz;
  CHECK(error_of(elf.file()) == Error::ElfAddress);
  // Wraps to 1010h.
  elf.segments[1].vaddr = std::uint64_t{0} - elf::position_independent_base + 0x1010;
  elf.segments[1].memsz = 0x1000;
  CHECK(error_of(elf.file()) == Error::ElfAddress);
}

TEST_CASE("sizes, alignments and offsets that contradict each other are malformed") {
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].memsz = 0xff; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].align = 3; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].align = 1ull << 33; }) ==
        Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].vaddr += 8; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.segments[1].align = 0; }) == Error::count);
}

TEST_CASE("the entry must lie in code") {
  CHECK(error_after([](ElfBuilder& e) { e.header.entry = 0; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.entry = 0x401010; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.entry = 0x401000; }) == Error::ElfMalformed);
  CHECK(error_after([](ElfBuilder& e) { e.header.entry = 0x400fff; }) == Error::count);
  CHECK(error_after([](ElfBuilder& e) { e.header.entry = kernel_base; }) == Error::ElfMalformed);
}

TEST_CASE("32 segments are accepted, 33 are not, and empty ones do not count") {
  ElfBuilder elf;
  for (std::uint64_t i = 2; i < 32; ++i)
    elf.segments.push_back(ElfBuilder::load(6, 0, 0x500000 + i * 0x1000, 0, 0x1000));
  elf.segments.push_back(ElfBuilder::load(6, 0, 0x400000, 0, 0));
  REQUIRE(parse_elf(elf.file()));
  CHECK(parse_elf(elf.file()).value().segments().size() == 32);
  elf.segments.push_back(ElfBuilder::load(6, 0, 0x600000, 0, 1));
  CHECK(error_of(elf.file()) == Error::ElfMalformed);
}

TEST_CASE("headers that no segment holds are not announced to the program") {
  ElfBuilder elf;
  elf.segments[0] = ElfBuilder::load(5, 0x800, 0x400800, 0x800, 0x800);
  const auto result = parse_elf(elf.file());
  REQUIRE(result);
  CHECK(result.value().header_table == UserAddr{0});
  CHECK(result.value().header_count == 0);
}

TEST_CASE("headers that a segment holds only in part are not announced either") {
  ElfBuilder elf;
  elf.segments[0].filesz = sizeof elf.header + 2 * sizeof(ProgramHeader);
  CHECK(parse_elf(elf.file()).value().header_table == UserAddr{0x400040});
  --elf.segments[0].filesz;
  CHECK(parse_elf(elf.file()).value().header_table == UserAddr{0});
}

namespace {
void put_note(ElfBuilder& elf, std::size_t at, const char (&name)[8], std::uint32_t type) {
  elf.put(at, elf::NoteHeader{8, 4, type});
  elf.put(at + 12, name);
  elf.put(at + 20, std::uint32_t{7});
}
}  // namespace

TEST_CASE("the note named Reprise marks a native program and gives its version") {
  ElfBuilder elf;
  elf.segments.push_back(ElfBuilder::other(4, 0x1200, 24));
  put_note(elf, 0x1200, "Reprise", 1);
  CHECK(parse_elf(elf.file()).value().native_version == 7u);
  put_note(elf, 0x1200, "Reprise", 2);
  CHECK_FALSE(parse_elf(elf.file()).value().native_version);
  put_note(elf, 0x1200, "Reprice", 1);
  CHECK_FALSE(parse_elf(elf.file()).value().native_version);
}

TEST_CASE("the note is found behind others, and not beyond the end of its segment") {
  ElfBuilder elf;
  put_note(elf, 0x1200, "Another", 1);
  put_note(elf, 0x1218, "Reprise", 1);
  elf.segments.push_back(ElfBuilder::other(4, 0x1200, 48));
  CHECK(parse_elf(elf.file()).value().native_version == 7u);
  elf.segments.back().filesz = 47;
  CHECK_FALSE(parse_elf(elf.file()).value().native_version);
}

TEST_CASE("a note of senseless size ends the search without harm") {
  ElfBuilder elf;
  put_note(elf, 0x1200, "Another", 1);
  elf.put(0x1200, std::uint32_t{0xffffffff});
  put_note(elf, 0x1218, "Reprise", 1);
  elf.segments.push_back(ElfBuilder::other(4, 0x1200, 48));
  CHECK_FALSE(parse_elf(elf.file()).value().native_version);
}
