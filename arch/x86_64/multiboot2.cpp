// See the header. Tag layouts: Multiboot2 specification 2.0 §3.6.
#include "arch/x86_64/multiboot2.hpp"

#include "arch/x86_64/bytes.hpp"
#include "arch/x86_64/memory_ranges.hpp"

namespace arch {
namespace {

using Bytes = std::span<const std::byte>;
using Problem = std::optional<std::string_view>;
using reprise::PhysAddr;

enum class TagType : std::uint32_t {
  End = 0,
  CommandLine = 1,
  LoaderName = 2,
  Module = 3,
  MemoryMap = 6,
  Framebuffer = 8,
  AcpiOld = 14,
  AcpiNew = 15,
};

constexpr std::size_t tag_header = 8;
constexpr std::uint32_t available_memory = 1;
constexpr std::uint8_t direct_colour = 1;
constexpr std::uint64_t low_memory_end = 1 << 20;
constexpr std::uint64_t address_limit = 1ull << 52;  // the architecture's widest physical address

struct Tag {
  TagType type;
  Bytes content;         // header included
  std::uint64_t address;  // of the header, physical
};

// Calls `visit(tag)` for each tag until the end tag; a tag that leaves the blob is an error.
template <class Visit>
Problem for_each_tag(Bytes blob, std::uint64_t blob_address, Visit visit) {
  for (std::size_t at = tag_header; at <= blob.size();) {
    const auto type = read_number<std::uint32_t>(blob, at);
    const auto size = read_number<std::uint32_t>(blob, at + 4);
    if (!type || !size) break;
    if (static_cast<TagType>(*type) == TagType::End) return std::nullopt;
    const auto content = part(blob, at, *size);
    if (*size < tag_header || !content) return "a tag is longer than the whole";
    if (Problem problem = visit(Tag{static_cast<TagType>(*type), *content, blob_address + at})) {
      return problem;
    }
    at += (std::size_t{*size} + 7) & ~std::size_t{7};
  }
  return "the tags have no end";
}

// A text ends at its zero byte or, when there is none, with the tag.
std::string_view text_at(Bytes content, std::size_t offset) {
  if (offset >= content.size()) return {};
  const auto* text = reinterpret_cast<const char*>(content.data() + offset);
  std::size_t length = 0;
  while (length < content.size() - offset && text[length] != '\0') ++length;
  return {text, length};
}

Problem read_module(const Tag& tag, BootStorage& storage, std::size_t& count) {
  const auto start = read_number<std::uint32_t>(tag.content, 8);
  const auto end = read_number<std::uint32_t>(tag.content, 12);
  if (!start || !end || *end < *start) return "a module's tag is broken";
  if (*start % reprise::page_size != 0) return "a module does not start at a page";
  if (count == storage.modules.size()) return "more than 64 modules";
  storage.modules[count++] = {{PhysAddr{*start}, *end - *start}, text_at(tag.content, 16)};
  return std::nullopt;
}

// Only what the text console can draw on: direct colour, 8 bits for each of red, green and blue.
void read_framebuffer(const Tag& tag, Framebuffer& framebuffer) {
  const auto address = read_number<std::uint64_t>(tag.content, 8);
  const auto pitch = read_number<std::uint32_t>(tag.content, 16);
  const auto width = read_number<std::uint32_t>(tag.content, 20);
  const auto height = read_number<std::uint32_t>(tag.content, 24);
  const auto bits = read_number<std::uint8_t>(tag.content, 28);
  const auto type = read_number<std::uint8_t>(tag.content, 29);
  const auto colours = part(tag.content, 32, 6);
  if (!address || !pitch || !width || !height || !bits || !type || !colours) return;
  if (*type != direct_colour || (*bits != 32 && *bits != 24)) return;
  const auto colour = [&](std::size_t i) { return static_cast<std::uint8_t>((*colours)[i]); };
  for (std::size_t i = 0; i < 6; i += 2) {
    if (colour(i + 1) != 8 || colour(i) > *bits - 8) return;
  }
  if (*pitch / (*bits / 8) < *width) return;
  framebuffer = {PhysAddr{*address}, *pitch, *width, *height, *bits,
                 colour(0), colour(2), colour(4)};
}

// Calls `visit(start, end, available)` for each entry that makes sense.
template <class Visit>
void for_each_memory_entry(const Tag& tag, Visit visit) {
  const auto entry_size = read_number<std::uint32_t>(tag.content, 8);
  if (!entry_size || *entry_size < 24) return;
  for (std::size_t at = 16; part(tag.content, at, *entry_size); at += *entry_size) {
    const std::uint64_t start = *read_number<std::uint64_t>(tag.content, at);
    const std::uint64_t size = *read_number<std::uint64_t>(tag.content, at + 8);
    const std::uint32_t type = *read_number<std::uint32_t>(tag.content, at + 16);
    if (start >= address_limit) continue;
    const std::uint64_t room = address_limit - start;
    visit(start, start + (size < room ? size : room), type == available_memory);
  }
}

void cut(MemoryRanges& memory, const MemoryRange& range) {
  memory.cut(reprise::round_down(range.start.value()),
             reprise::round_up(range.start.value() + range.size));
}

Problem read_memory(const Tag& map, Bytes blob, PhysAddr blob_address, MemoryRange image,
                    BootStorage& storage) {
  MemoryRanges memory{storage.memory};
  for_each_memory_entry(map, [&](std::uint64_t start, std::uint64_t end, bool available) {
    if (available) memory.add(start, end);
  });
  for_each_memory_entry(map, [&](std::uint64_t start, std::uint64_t end, bool available) {
    if (!available) memory.cut(start, end);
  });
  storage.info.total_memory = memory.total();
  memory.cut(0, low_memory_end);
  memory.trim_to_pages();
  cut(memory, image);
  cut(memory, {blob_address, blob.size()});
  for (const Module& module : storage.info.modules) cut(memory, module.range);
  storage.info.memory = memory.ranges();
  if (storage.info.memory.empty()) return "no memory is available";
  return std::nullopt;
}

}  // namespace

Problem parse_boot_info(Bytes blob, PhysAddr blob_address, MemoryRange image,
                        BootStorage& storage) {
  storage.info = {};
  BootInfo& info = storage.info;
  std::optional<Tag> memory_map;
  std::size_t module_count = 0;
  bool new_acpi = false;
  const Problem problem =
      for_each_tag(blob, blob_address.value(), [&](const Tag& tag) -> Problem {
        switch (tag.type) {
          case TagType::CommandLine: info.command_line = text_at(tag.content, 8); break;
          case TagType::LoaderName: info.loader = text_at(tag.content, 8); break;
          case TagType::Module: return read_module(tag, storage, module_count);
          case TagType::MemoryMap: memory_map = tag; break;
          case TagType::Framebuffer: read_framebuffer(tag, info.framebuffer); break;
          case TagType::AcpiNew: new_acpi = true; [[fallthrough]];
          case TagType::AcpiOld:
            if (tag.type == TagType::AcpiNew || !new_acpi) {
              info.acpi_root = PhysAddr{tag.address + tag_header};
            }
            break;
          default: break;
        }
        return std::nullopt;
      });
  if (problem) return problem;
  info.modules = std::span{storage.modules}.first(module_count);
  if (!memory_map) return "no memory map";
  return read_memory(*memory_map, blob, blob_address, image, storage);
}

}  // namespace arch
