// See elf.hpp. The checks come in the order of their use to a person: first the kind of file, then
// what is wrong inside it.
#include "user/loader/elf.hpp"

#include "kernel/base/memory_map.hpp"
#include "user/loader/bytes.hpp"
#include "user/loader/elf_format.hpp"
#include "user/loader/elf_segments.hpp"

namespace reprise {
namespace {

using elf::ProgramHeader;
using Fault = std::optional<Error>;

Fault check_identity(Bytes file) {
  if (file.empty()) return Error::EmptyModule;
  const auto magic = read_as<decltype(elf::magic)>(file, 0);
  if (!magic || *magic != elf::magic) return Error::NotElf;
  const auto ident = read_as<decltype(elf::FileHeader::ident)>(file, 0);
  if (!ident) return Error::ElfTruncated;
  if ((*ident)[elf::ident_class] == elf::class_32) return Error::Elf32Bit;
  if ((*ident)[elf::ident_class] != elf::class_64) return Error::ElfMalformed;
  if ((*ident)[elf::ident_data] != elf::data_little_endian) return Error::ElfMachine;
  if ((*ident)[elf::ident_version] != elf::current_version) return Error::ElfMalformed;
  return std::nullopt;
}

Fault check_header(const elf::FileHeader& header) {
  if (header.machine != elf::machine_x86_64) return Error::ElfMachine;
  if (header.type != elf::type_executable && header.type != elf::type_shared)
    return Error::ElfMalformed;  // an object file or a core dump
  if (header.version != elf::current_version || header.ehsize != sizeof(elf::FileHeader))
    return Error::ElfMalformed;
  if (header.phentsize != sizeof(ProgramHeader) || header.phnum == 0) return Error::ElfMalformed;
  return std::nullopt;
}

// PT_DYNAMIC alone is no dynamic link: a static-PIE has one for its own relocations.
Fault check_dynamic(Bytes entries) {
  for (std::uint64_t at = 0;; at += sizeof(elf::DynamicEntry)) {
    const auto entry = read_as<elf::DynamicEntry>(entries, at);
    if (!entry || entry->tag == elf::dynamic_end) return std::nullopt;
    if (entry->tag == elf::dynamic_needed) return Error::ElfDynamic;
  }
}

std::uint64_t padded(std::uint32_t bytes) { return (std::uint64_t{bytes} + 3) & ~std::uint64_t{3}; }

// The version in a note named "Reprise". A foreign note that does not fit ends the search; it is no
// error here.
std::optional<std::uint32_t> native_version(Bytes notes) {
  static constexpr std::array<char, 8> name{"Reprise"};
  static constexpr std::uint32_t type = 1;
  while (const auto note = read_as<elf::NoteHeader>(notes, 0)) {
    const std::uint64_t content = sizeof(*note) + padded(note->namesz);
    const bool has_sizes = note->namesz == name.size() && note->descsz == sizeof(std::uint32_t);
    const bool is_ours =
        has_sizes && note->type == type && read_as<decltype(name)>(notes, sizeof(*note)) == name;
    if (is_ours) return read_as<std::uint32_t>(notes, content);
    const std::uint64_t next = content + padded(note->descsz);
    if (next > notes.size()) break;
    notes = notes.subspan(next);
  }
  return std::nullopt;
}

// What the segments of other types say about the kind of program.
Fault check_other(ElfImage& image, const ProgramHeader& header, Bytes file) {
  if (header.type == elf::segment_interpreter) return Error::ElfDynamic;
  if (header.type != elf::segment_dynamic && header.type != elf::segment_note) return std::nullopt;
  const auto content = slice(file, header.offset, header.filesz);
  if (!content) return Error::ElfTruncated;
  if (header.type == elf::segment_dynamic) return check_dynamic(*content);
  if (!image.native_version) image.native_version = native_version(*content);
  return std::nullopt;
}

elf::Bounds bounds_of(const ElfImage& image) {
  if (image.position_independent) return {0, program_file_base - image.load_bias};
  return {user_low, program_file_base};
}

// The kind of program first, in a pass of its own: "dynamically linked" explains more than any
// fault in a segment of such a file.
Fault read_segments(ElfImage& image, Bytes headers, Bytes file) {
  for (std::uint64_t at = 0; const auto header = read_as<ProgramHeader>(headers, at);
       at += sizeof(ProgramHeader))
    if (const auto fault = check_other(image, *header, file)) return fault;
  const elf::Bounds bounds = bounds_of(image);
  for (std::uint64_t at = 0; const auto header = read_as<ProgramHeader>(headers, at);
       at += sizeof(ProgramHeader)) {
    if (header->type != elf::segment_load) continue;
    if (const auto fault = elf::add_segment(image, *header, file.size(), bounds)) return fault;
  }
  return elf::check_together(image);
}

bool executes(const ElfImage& image, UserAddr address) {
  for (const ElfSegment& s : image.segments()) {
    if (!s.execute || address < s.address) continue;
    if (address.value() - s.address.value() < s.memory_bytes) return true;
  }
  return false;
}

// Where the program finds its own headers: libc reads its TLS segment from there.
void locate_headers(ElfImage& image, std::uint64_t offset, std::uint64_t bytes) {
  for (const ElfSegment& s : image.segments()) {
    if (offset < s.file_offset || offset - s.file_offset > s.file_bytes) continue;
    const std::uint64_t within = offset - s.file_offset;
    if (bytes > s.file_bytes - within) continue;
    image.header_table = s.address + within;
    image.header_count = static_cast<std::uint16_t>(bytes / sizeof(ProgramHeader));
    image.header_bytes = sizeof(ProgramHeader);
    return;
  }
}

}  // namespace

Result<ElfImage, Error> parse_elf(std::span<const std::byte> file) {
  if (const auto fault = check_identity(file)) return Failure{*fault};
  const auto header = read_as<elf::FileHeader>(file, 0);
  if (!header) return Failure{Error::ElfTruncated};
  if (const auto fault = check_header(*header)) return Failure{*fault};
  const std::uint64_t table_bytes = std::uint64_t{header->phnum} * sizeof(ProgramHeader);
  const auto headers = slice(file, header->phoff, table_bytes);
  if (!headers) return Failure{Error::ElfTruncated};

  ElfImage image;
  image.position_independent = header->type == elf::type_shared;
  if (image.position_independent) image.load_bias = elf::position_independent_base;
  if (const auto fault = read_segments(image, *headers, file)) return Failure{*fault};

  // The sum may wrap around for a senseless entry; then it meets no executable segment, or one
  // whose address it is: both are safe.
  image.entry = UserAddr{header->entry + image.load_bias};
  if (!executes(image, image.entry)) return Failure{Error::ElfMalformed};
  locate_headers(image, header->phoff, table_bytes);
  return image;
}

}  // namespace reprise
