// Whatever the bytes: no access outside them, and an accepted image keeps all that the loader
// relies on (user/loader/elf.hpp).
#include "kernel/base/memory_map.hpp"
#include "tests/fuzz/require.hpp"
#include "user/loader/elf.hpp"

using namespace reprise;

namespace {

struct Range {
  std::uint64_t low, high;
};

constexpr Range programs{user_low, program_file_base};

void check_segment(const ElfSegment& s, std::size_t file_bytes, Range range) {
  REQUIRE(s.memory_bytes > 0);
  REQUIRE(s.file_bytes <= s.memory_bytes);
  REQUIRE(s.file_offset <= file_bytes && s.file_bytes <= file_bytes - s.file_offset);
  REQUIRE(s.file_bytes == 0 || s.file_offset % page_size == s.address.value() % page_size);
  REQUIRE(!(s.write && s.execute));
  REQUIRE(s.address.value() >= range.low && s.address.value() < range.high);
  REQUIRE(s.memory_bytes <= range.high - s.address.value());
}

void check_image(const ElfImage& image, std::size_t file_bytes, Range range) {
  REQUIRE(!image.segments().empty());
  bool entry_in_code = false;
  std::uint64_t low = ~0ull;
  std::uint64_t high = 0;
  for (const ElfSegment& s : image.segments()) {
    check_segment(s, file_bytes, range);
    const std::uint64_t start = round_down(s.address.value());
    const std::uint64_t end = round_up(s.address.value() + s.memory_bytes);
    for (const ElfSegment& other : image.segments())
      REQUIRE(&other == &s || end <= round_down(other.address.value()) ||
              round_up(other.address.value() + other.memory_bytes) <= start);
    const std::uint64_t distance = image.entry.value() - s.address.value();
    entry_in_code |= s.execute && distance < s.memory_bytes;
    low = start < low ? start : low;
    high = end > high ? end : high;
  }
  REQUIRE(entry_in_code);
  REQUIRE(image.first_page == page_of(UserAddr{low}));
  REQUIRE(image.end_page == page_of(UserAddr{high}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span{data, size});
  const auto result = parse_elf(file);
  if (result)
    check_image(result.value(), size, programs);
  else
    REQUIRE(result.error() < Error::count);
  return 0;
}
