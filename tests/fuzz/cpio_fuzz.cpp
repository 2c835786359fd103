// Whatever the bytes: no access outside them; an accepted archive is read again to its trailer by a
// walk that checks nothing, as its readers in ring 3 may do, and still meets no byte outside.
#include <cstdint>
#include <cstring>
#include <string>

#include "tests/fuzz/require.hpp"
#include "user/loader/cpio.hpp"

using namespace reprise;

namespace {

std::size_t field(const char* header, int index) {
  return std::stoul(std::string{header + 6 + 8 * index, 8}, nullptr, 16);
}

std::size_t padded(std::size_t offset) { return (offset + 3) / 4 * 4; }

std::size_t entries_read(const char* archive) {
  std::size_t count = 0;
  for (std::size_t at = 0;; ++count) {
    const char* header = archive + at;
    const char* name = header + 110;
    REQUIRE(std::strlen(name) + 1 == field(header, 11));
    if (std::strcmp(name, "TRAILER!!!") == 0) return count;
    at = padded(padded(at + 110 + field(header, 11)) + field(header, 6));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = check_archive(std::as_bytes(std::span{data, size}));
  if (!result) {
    REQUIRE(result.error() == (size == 0 ? Error::EmptyModule : Error::BadArchive));
    return 0;
  }
  REQUIRE(result.value().bytes <= size);
  REQUIRE(result.value().entries == entries_read(reinterpret_cast<const char*>(data)));
  return 0;
}
