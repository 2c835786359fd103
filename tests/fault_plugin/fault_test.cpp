// The plugin's arguments and the bits that each fault model changes.
#include "fault.hpp"

#include <map>
#include <string>
#include <vector>

#include "page_tables.hpp"
#include "tests/catch.hpp"

namespace {

std::optional<fault::Arguments> parse(std::vector<std::string> texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size());
  for (std::string& text : texts) pointers.push_back(text.data());
  return fault::parse_arguments(static_cast<int>(pointers.size()), pointers.data());
}

// With what every command line needs.
std::optional<fault::Arguments> parse_fault(std::vector<std::string> texts) {
  texts.insert(texts.end(), {"report=file", "marker=0x401000"});
  return parse(std::move(texts));
}

// Physical memory of 1 MiB: words by their addresses, and nothing else in it.
fault::PhysicalMemory memory_of(const std::map<std::uint64_t, std::uint64_t>& words) {
  return {.is_there = [](std::uint64_t address) { return address < 0x100000; },
          .read =
              [&words](std::uint64_t address) {
                const auto found = words.find(address);
                return found == words.end() ? 0 : found->second;
              }};
}

}  // namespace

TEST_CASE("a fault of a register is taken by name") {
  const auto taken = parse({"report=file", "marker=0x401000", "code=31ed", "at=70", "limit=900",
                            "target=r13", "bit=63", "model=stuck", "for=8"});
  REQUIRE(taken.has_value());
  CHECK(taken->report == "file");
  CHECK(taken->marker == 0x401000);
  CHECK(taken->code == std::vector<std::uint8_t>{0x31, 0xed});
  CHECK(taken->at == 70);
  CHECK(taken->limit == 900);
  CHECK(taken->register_->target.number == 13);
  CHECK(taken->bit == 63);
  CHECK(taken->model == fault::Model::Stuck);
  CHECK(taken->duration == 8);
}

TEST_CASE("a fault of memory has an address") {
  const auto taken = parse_fault({"at=1", "target=memory", "address=0x123458", "bit=1"});
  REQUIRE(taken.has_value());
  CHECK_FALSE(taken->register_.has_value());
  CHECK(taken->address == 0x123458);
  CHECK(taken->duration == 1);
}

TEST_CASE("a fault of the page tables has a number that chooses the word") {
  const auto taken = parse_fault({"at=1", "target=page-tables", "draw=70000", "bit=63"});
  REQUIRE(taken.has_value());
  CHECK_FALSE(taken->register_.has_value());
  CHECK(taken->draw == 70000);
  CHECK_FALSE(parse_fault({"at=1", "target=page-tables", "bit=64"}).has_value());
}

TEST_CASE("the walk finds the tables of the lower half and no others") {
  const std::map<std::uint64_t, std::uint64_t> words{
      {0x1000 + 8 * 1, 0x2007},                   // the top level's entry 1
      {0x1000 + 8 * 2, 0x9006},                   // not present
      {0x1000 + 8 * 256, 0xa007},                 // the upper half: the kernel's
      {0x2000 + 8 * 511, 0x8000'0000'0000'3007},  // with the no-execute bit
      {0x3000, 0x4007},                           // a table of the last level
      {0x3008, 0x20'0087},                        // a large page
      {0x3010, 0x5000'0007},                      // no memory is there
      {0x4000, 0xb007}};                          // a page
  const auto tables = fault::user_tables(0x1018, memory_of(words));
  REQUIRE(tables.size() == 4);
  CHECK(fault::words_of(tables) == 256 + 3 * 512);
  CHECK(fault::address_of(tables, 255) == 0x1000 + 8 * 255);
  CHECK(fault::address_of(tables, 256) == 0x2000);
  CHECK(fault::address_of(tables, 256 + 3 * 512 - 1) == 0x4ff8);
  CHECK(fault::address_of(tables, 256 + 3 * 512) == 0x1000);
}

TEST_CASE("a top level outside memory has no tables") {
  CHECK(fault::user_tables(0x20'0000, memory_of({})).empty());
}

TEST_CASE("without a fault the run is only counted") {
  const auto taken = parse_fault({});
  REQUIRE(taken.has_value());
  CHECK(taken->at == 0);
}

TEST_CASE("an argument that is not understood is refused") {
  const std::string text =
      GENERATE("at=0", "at=-1", "at=1x", "at=", "at", "limit=0", "bit=256", "target=eax",
               "target=xmm16", "target=xmm", "address=0x12345", "model=double", "for=0", "code=3",
               "code=zz", "code=", "code=0011223344556677889900112233445566", "tat=1", "=", "");
  CHECK_FALSE(parse_fault({text}).has_value());
}

TEST_CASE("arguments that do not go together are refused") {
  CHECK_FALSE(parse({"report=file"}).has_value());
  CHECK_FALSE(parse({"marker=1"}).has_value());
  CHECK_FALSE(parse_fault({"at=1"}).has_value());
  CHECK_FALSE(parse_fault({"target=rax"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=rax", "bit=64"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=memory", "address=8", "bit=64"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=xmm1", "bit=128"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=rax", "for=2"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=rflags", "bit=1"}).has_value());
  CHECK_FALSE(parse_fault({"at=1", "target=rflags", "bit=0", "model=pair"}).has_value());
  CHECK(parse_fault({"at=1", "target=rflags", "bit=6", "model=pair"}).has_value());
  CHECK(parse_fault({"at=1", "target=ymm15", "bit=255"}).has_value());
}

TEST_CASE("a single bit of any word is changed") {
  for (unsigned bit = 0; bit < 256; ++bit) {
    const fault::Words mask = fault::mask_of(fault::Model::Single, bit, 256);
    for (unsigned word = 0; word < 4; ++word)
      CHECK(mask[word] == (word == bit / 64 ? std::uint64_t{1} << bit % 64 : 0));
  }
}

TEST_CASE("a pair is two adjacent bits, at the highest bit the highest two") {
  CHECK(fault::mask_of(fault::Model::Pair, 0, 64)[0] == 3);
  CHECK(fault::mask_of(fault::Model::Pair, 63, 64)[0] == std::uint64_t{3} << 62);
  const fault::Words across = fault::mask_of(fault::Model::Pair, 63, 128);
  CHECK(across[0] == std::uint64_t{1} << 63);
  CHECK(across[1] == 1);
}

TEST_CASE("a byte is the eight bits around the bit") {
  CHECK(fault::mask_of(fault::Model::Byte, 13, 64)[0] == 0xff00);
  CHECK(fault::mask_of(fault::Model::Byte, 255, 256)[3] == std::uint64_t{0xff} << 56);
}

TEST_CASE("a stuck bit is one bit") { CHECK(fault::mask_of(fault::Model::Stuck, 5, 64)[0] == 32); }
