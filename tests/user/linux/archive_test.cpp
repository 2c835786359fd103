#include "user/linux/archive.hpp"

#include <catch2/catch.hpp>

#include "tests/user/linux/fake_process.hpp"

using namespace personality;

namespace {

ArchiveStatus read_to_end(std::span<const std::byte> bytes, std::size_t& entries) {
  ArchiveReader reader(bytes);
  ArchiveEntry entry;
  ArchiveStatus status = ArchiveStatus::Entry;
  for (entries = 0; (status = reader.next(entry)) == ArchiveStatus::Entry;) ++entries;
  return status;
}

fake::ArchiveWriter sample() {
  fake::ArchiveWriter writer;
  writer.file("a", "alpha").directory("d").file("d/b", "").link("l", "a").file("last", "1234567");
  writer.end();
  return writer;
}

}  // namespace

TEST_CASE("an archive's entries come in order with names, modes and data") {
  const auto writer = sample();
  ArchiveReader reader(writer.bytes());
  ArchiveEntry entry;
  REQUIRE(reader.next(entry) == ArchiveStatus::Entry);
  CHECK(entry.name == "a");
  CHECK(entry.mode == 0100644);
  CHECK(entry.data.size() == 5);
  CHECK(static_cast<char>(entry.data[4]) == 'a');
  std::size_t entries = 0;
  CHECK(read_to_end(writer.bytes(), entries) == ArchiveStatus::End);
  CHECK(entries == 5);
}

TEST_CASE("what follows the trailer is not read") {
  auto writer = sample();
  writer.file("hidden", "x");
  std::size_t entries = 0;
  CHECK(read_to_end(writer.bytes(), entries) == ArchiveStatus::End);
  CHECK(entries == 5);
}

TEST_CASE("an archive cut anywhere is broken, or ends exactly between two entries") {
  const auto writer = sample();
  std::size_t complete = 0;
  for (std::size_t length = 0; length < writer.bytes().size(); ++length) {
    // A copy of exactly this size: the sanitizer sees every byte read behind it.
    const std::vector<std::byte> cut(writer.bytes().begin(),
                                     writer.bytes().begin() + static_cast<std::ptrdiff_t>(length));
    std::size_t entries = 0;
    const ArchiveStatus status = read_to_end(cut, entries);
    if (status == ArchiveStatus::End) ++complete;
    CHECK(entries <= 5);
  }
  CHECK(complete >= 6);
  CHECK(complete <= 6 + 3 * 6);  // the padding of an entry may be missing
}

TEST_CASE("fields that contradict the archive's size are found") {
  struct Damage {
    std::size_t at;
    const char* field;
    const char* problem;
  };
  const Damage damages[] = {
      {0, "070707", "has no newc header here"},
      {6 + 8 * 6, "ffffffff", "ends within a file"},
      {6 + 8 * 11, "ffffffff", "has a name without end"},
      {6 + 8 * 11, "00000000", "has a name without end"},
      {6 + 8 * 11, "00000001", "has a name without end"},
      {6 + 8 * 11, "00000003", "has a name that is not a string"},
      {6 + 8 * 6, "0000000g", "has a header field that is no number"},
      {110, "\0", "has a name that is not a string"},
  };
  for (const Damage& damage : damages) {
    auto writer = sample();
    const std::string_view field = damage.at == 110 ? std::string_view("\0", 1) : damage.field;
    for (std::size_t i = 0; i < field.size(); ++i) writer.text()[damage.at + i] = field[i];
    ArchiveReader reader(writer.bytes());
    ArchiveEntry entry;
    CHECK(reader.next(entry) == ArchiveStatus::Broken);
    CHECK(reader.problem() == damage.problem);
    CHECK(reader.next(entry) == ArchiveStatus::Broken);
  }
}
