#include "user/loader/cpio.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace reprise;

namespace {

std::string padded(std::string text) {
  while (text.size() % 4 != 0) text += '\0';
  return text;
}

std::string entry(const std::string& name, const std::string& content,
                  const char* magic = "070701") {
  std::array<char, 111> header{};
  std::snprintf(header.data(), header.size(),
                "%s%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", magic, 1u, 0100644u, 0u,
                0u, 1u, 0u, static_cast<unsigned>(content.size()), 0u, 0u, 0u, 0u,
                static_cast<unsigned>(name.size() + 1), 0u);
  return padded(padded(header.data() + name + '\0') + content);
}

std::string whole_archive() {
  return entry("directory", "") + entry("directory/file", "twelve bytes") + entry("x", "12345") +
         entry("TRAILER!!!", "");
}

Result<ArchiveInfo, Error> check(const std::string& archive) {
  return check_archive(std::as_bytes(std::span{archive}));
}

bool is_bad(const std::string& archive) {
  const auto result = check(archive);
  return !result && result.error() == Error::BadArchive;
}

constexpr std::size_t file_size_field = 6 + 6 * 8;
constexpr std::size_t name_size_field = 6 + 11 * 8;

}  // namespace

TEST_CASE("a whole archive is accepted and its entries are counted") {
  const auto result = check(whole_archive());
  REQUIRE(result);
  CHECK(result.value().entries == 3);
  CHECK(padded(std::string(result.value().bytes, '.')).size() == whole_archive().size());
}

TEST_CASE("what stands behind the trailer does not matter") {
  const auto result = check(whole_archive() + std::string(512, '\0') + "more");
  REQUIRE(result);
  CHECK(result.value().entries == 3);
}

TEST_CASE("the variant with checksums is accepted, older formats are not") {
  CHECK(check(entry("a", "b", "070702") + entry("TRAILER!!!", "", "070702")));
  CHECK(is_bad(entry("a", "b", "070707") + entry("TRAILER!!!", "")));
  CHECK(is_bad(entry("a", "b", "080701") + entry("TRAILER!!!", "")));
}

TEST_CASE("an empty module is told apart from a broken archive") {
  CHECK(check("").error() == Error::EmptyModule);
  CHECK(is_bad("x"));
}

TEST_CASE("an archive cut anywhere before the trailer's end is broken") {
  const std::string archive = whole_archive();
  const std::size_t needed = check(archive).value().bytes;
  for (std::size_t size = 1; size < needed; ++size) REQUIRE(is_bad(archive.substr(0, size)));
  CHECK(check(archive.substr(0, needed)));
}

TEST_CASE("a size that reaches beyond the archive is broken, up to the largest") {
  const char* size = GENERATE("00001000", "7FFFFFFF", "FFFFFFFF", "FFFFFFFC");
  std::string archive = whole_archive();
  CHECK(is_bad(archive.replace(file_size_field, 8, size)));
  archive = whole_archive();
  CHECK(is_bad(archive.replace(name_size_field, 8, size)));
}

TEST_CASE("every field must be hexadecimal digits") {
  for (std::size_t at = 6; at < 110; ++at) {
    std::string archive = whole_archive();
    archive[at] = GENERATE(' ', 'g', '/', ':', '@', '`', '\0');
    REQUIRE(is_bad(archive));
  }
}

TEST_CASE("a name is not empty and ends with its only NUL") {
  CHECK(is_bad(entry("", "content") + entry("TRAILER!!!", "")));
  CHECK(is_bad(entry(std::string("two\0parts", 9), "") + entry("TRAILER!!!", "")));
  std::string archive = whole_archive();
  CHECK(is_bad(archive.replace(name_size_field, 8, "00000000")));
  archive = whole_archive();
  CHECK(is_bad(archive.replace(name_size_field, 8, "00000009")));  // one short: no NUL at the end
}

TEST_CASE("a trailer with content is broken") {
  CHECK(is_bad(entry("a", "b") + entry("TRAILER!!!", "content")));
}

TEST_CASE("entries come in order with names, modes and data") {
  const std::string archive = whole_archive();
  ArchiveReader reader{std::as_bytes(std::span{archive})};
  ArchiveEntry entry;
  REQUIRE(reader.next(entry) == ArchiveStatus::Entry);
  CHECK(entry.name == "directory");
  CHECK(entry.data.empty());
  REQUIRE(reader.next(entry) == ArchiveStatus::Entry);
  CHECK(entry.name == "directory/file");
  CHECK(entry.mode == 0100644);
  CHECK(entry.inode == 1);
  CHECK(entry.links == 1);
  REQUIRE(entry.data.size() == 12);
  CHECK(entry.data[11] == std::byte{'s'});
  REQUIRE(reader.next(entry) == ArchiveStatus::Entry);
  CHECK(entry.name == "x");
  CHECK(reader.next(entry) == ArchiveStatus::End);
  CHECK(reader.next(entry) == ArchiveStatus::End);
}

TEST_CASE("a cut archive is read up to the cut, and not a byte behind it") {
  const std::string archive = whole_archive();
  const std::size_t needed = check(archive).value().bytes;
  for (std::size_t size = 0; size < needed; ++size) {
    // A copy of exactly this size: the sanitizer sees every byte read behind it.
    const std::vector<char> cut(archive.begin(),
                                archive.begin() + static_cast<std::ptrdiff_t>(size));
    ArchiveReader reader{std::as_bytes(std::span{cut})};
    ArchiveEntry entry;
    std::size_t entries = 0;
    ArchiveStatus status = reader.next(entry);
    for (; status == ArchiveStatus::Entry; status = reader.next(entry)) ++entries;
    REQUIRE(status == ArchiveStatus::Broken);
    REQUIRE(entries <= 3);
  }
}

TEST_CASE("a broken archive says what is wrong, and stays broken") {
  struct Damage {
    std::size_t at;
    std::string text;
    std::string_view problem;
  };
  const Damage damages[] = {
      {.at = 0, .text = "070707", .problem = "has no newc header here"},
      {.at = file_size_field, .text = "ffffffff", .problem = "ends within a file"},
      {.at = name_size_field, .text = "ffffffff", .problem = "ends within a name"},
      {.at = name_size_field, .text = "00000000", .problem = "has a name that is not a string"},
      {.at = name_size_field, .text = "00000001", .problem = "has a name that is not a string"},
      {.at = name_size_field, .text = "00000003", .problem = "has a name that is not a string"},
      {.at = file_size_field,
       .text = "0000000g",
       .problem = "has a header field that is no number"},
      {.at = 110, .text = std::string(1, '\0'), .problem = "has a name that is not a string"},
  };
  for (const Damage& damage : damages) {
    std::string archive = whole_archive();
    archive.replace(damage.at, damage.text.size(), damage.text);
    ArchiveReader reader{std::as_bytes(std::span{archive})};
    ArchiveEntry entry;
    CHECK(reader.next(entry) == ArchiveStatus::Broken);
    CHECK(reader.problem() == damage.problem);
    CHECK(reader.offset() == 0);
    CHECK(reader.next(entry) == ArchiveStatus::Broken);
  }
}
