#include "user/loader/load.hpp"

#include <cstddef>
#include <span>

#include "user/linux/native.hpp"
#include "user/linux/runtime.hpp"
#include "user/loader/cpio.hpp"
#include "user/loader/elf.hpp"
#include "user/loader/initial_stack.hpp"

namespace loader {
namespace {

using reprise::ElfImage;
using reprise::ElfSegment;
using reprise::Error;
using reprise::page_size;

[[noreturn]] void refuse(Error error) {
  for (;;) reprise_system_call(REPRISE_REFUSE, static_cast<std::uint64_t>(error));
}

void require(personality::native::Result result) {
  if (result == -REPRISE_NO_MEMORY) refuse(Error::OutOfMemory);
  if (result < 0) refuse(Error::ElfAddress);
}

std::span<const std::byte> bytes_at(std::uint64_t address, std::uint64_t size) {
  return {reinterpret_cast<const std::byte*>(address), size};
}

unsigned protection_of(const ElfSegment& segment) {
  return (segment.read ? REPRISE_PROTECT_READ : 0) | (segment.write ? REPRISE_PROTECT_WRITE : 0) |
         (segment.execute ? REPRISE_PROTECT_EXECUTE : 0);
}

// Maps whole pages of the file. Copies the last page of a segment's content when zeros follow it in
// memory or when the file ends in it.
void map_segment(const ElfSegment& segment, std::span<const std::byte> file) {
  const std::uint64_t low = reprise::round_down(segment.address.value());
  const std::uint64_t high = reprise::round_up(segment.address.value() + segment.memory_bytes);
  const std::uint64_t head = segment.address.value() - low;
  const std::uint64_t offset = segment.file_offset - head;  // of the first page, in the file
  const bool zeros_follow = segment.memory_bytes > segment.file_bytes;
  std::uint64_t whole = reprise::round_up(head + segment.file_bytes);
  const bool partial = (head + segment.file_bytes) % page_size != 0;
  if (segment.file_bytes == 0) {
    whole = 0;
  } else if (partial && (zeros_follow || offset + whole > file.size())) {
    whole -= page_size;
  }
  if (whole != 0)
    require(reprise_system_call(REPRISE_MAP_FILE, low, whole, protection_of(segment), offset));
  if (low + whole == high) return;
  const std::uint64_t rest = low + whole;
  require(
      personality::native::map(rest, high - rest, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE));
  const std::uint64_t copied = whole > head ? whole - head : 0;  // of the content, by the mapping
  if (segment.file_bytes > copied) {
    memcpy(reinterpret_cast<void*>(segment.address.value() + copied),
           file.data() + segment.file_offset + copied, segment.file_bytes - copied);
  }
  if (!segment.write) {
    require(personality::native::protect(rest, high - rest, protection_of(segment)));
  }
}

}  // namespace

Program load(reprise_start& start) {
  const auto file = bytes_at(start.file_address, start.file_bytes);
  const auto parsed = reprise::parse_elf(file);
  if (!parsed) refuse(parsed.error());
  const ElfImage& image = parsed.value();
  const bool native = image.native_version.has_value();
  if (native && *image.native_version != REPRISE_ABI_VERSION) refuse(Error::AbiVersion);
  if (start.archive_address != 0) {
    const auto archive =
        reprise::check_archive(bytes_at(start.archive_address, start.archive_bytes));
    if (!archive) refuse(archive.error());
  }
  for (const ElfSegment& segment : image.segments()) map_segment(segment, file);
  start.program_entry = native ? 0 : image.entry.value();
  start.program_break = reprise::address_of(image.end_page).value();
  start.stack_pointer = build_initial_stack(start, image);
  return {native ? Kind::Native : Kind::Linux, image.entry.value()};
}

}  // namespace loader
