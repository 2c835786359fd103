// See elf_segments.hpp. Addresses are checked before the bias is added, so that nothing wraps.
#include "user/loader/elf_segments.hpp"

#include "kernel/base/memory_map.hpp"

namespace reprise::elf {
namespace {

// The load bias keeps every alignment up to this one; linkers ask for 2 MiB at most.
constexpr std::uint64_t largest_alignment = 1ull << 32;
static_assert(position_independent_base % largest_alignment == 0);

std::optional<Error> check_alignment(const ProgramHeader& header) {
  const bool power_of_two = (header.align & (header.align - 1)) == 0;  // or zero: none asked for
  if (!power_of_two || header.align > largest_alignment) return Error::ElfMalformed;
  // A page of the file becomes a page of memory. Without content there is nothing to line up.
  const bool lines_up = header.offset % page_size == header.vaddr % page_size;
  if (header.filesz != 0 && !lines_up) return Error::ElfMalformed;
  return std::nullopt;
}

PageNumber first_page(const ElfSegment& segment) { return page_of(segment.address); }

PageNumber end_page(const ElfSegment& segment) {
  return page_of(UserAddr{round_up(segment.address.value() + segment.memory_bytes)});
}

}  // namespace

std::optional<Error> add_segment(ElfImage& image, const ProgramHeader& header,
                                 std::size_t file_bytes, Bounds bounds) {
  if (header.memsz < header.filesz) return Error::ElfMalformed;
  if (header.offset > file_bytes) return Error::ElfTruncated;
  if (header.filesz > file_bytes - header.offset) return Error::ElfTruncated;
  if (header.memsz == 0) return std::nullopt;
  if (const auto fault = check_alignment(header)) return fault;
  const bool writable = (header.flags & flag_write) != 0;
  const bool executable = (header.flags & flag_execute) != 0;
  if (writable && executable) return Error::ElfWritableCode;

  if (header.vaddr < bounds.low || header.vaddr > bounds.high) return Error::ElfAddress;
  if (header.memsz > bounds.high - header.vaddr) return Error::ElfAddress;
  if (image.segment_count == ElfImage::max_segments) return Error::ElfMalformed;
  image.table[image.segment_count] = {
      .file_offset = header.offset,
      .file_bytes = header.filesz,
      .address = UserAddr{header.vaddr + image.load_bias},
      .memory_bytes = header.memsz,
      .read = (header.flags & flag_read) != 0,
      .write = writable,
      .execute = executable,
  };
  ++image.segment_count;
  return std::nullopt;
}

std::optional<Error> check_together(ElfImage& image) {
  const auto segments = image.segments();
  if (segments.empty()) return Error::ElfMalformed;
  image.first_page = first_page(segments.front());
  image.end_page = end_page(segments.front());
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const PageNumber first = first_page(segments[i]);
    const PageNumber end = end_page(segments[i]);
    for (const ElfSegment& other : segments.first(i)) {
      const bool overlaps = first < end_page(other) && first_page(other) < end;
      if (overlaps) return Error::ElfOverlap;
    }
    if (first < image.first_page) image.first_page = first;
    if (end > image.end_page) image.end_page = end;
  }
  return std::nullopt;
}

}  // namespace reprise::elf
