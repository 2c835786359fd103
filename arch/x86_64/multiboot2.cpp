// See the header. Tag layouts: Multiboot2 specification 2.0 §3.6.
#include "arch/x86_64/multiboot2.hpp"

#include "arch/x86_64/memory_ranges.hpp"

namespace arch {
namespace {

using Problem = std::optional<std::string_view>;
using reprise::PhysAddr;

enum class TagType : std::uint32_t {
  End = 0, CommandLine = 1, LoaderName = 2, Module = 3, MemoryMap = 6, Framebuffer = 8,
  AcpiOld = 14, AcpiNew = 15,
};

// What stands behind the tag's own header.
struct ModuleTag {
  std::uint32_t start, end;
};
struct MemoryMapTag {
  std::uint32_t entry_size, version;
};
struct MemoryEntry {
  std::uint64_t start, size;
  std::uint32_t type, reserved;
};
struct Colour {
  std::uint8_t position, size;
};
struct [[gnu::packed]] FramebufferTag {
  std::uint64_t address;
  std::uint32_t pitch, width, height;
  std::uint8_t bits, type;
  std::uint16_t reserved;
  Colour red, green, blue;
};

constexpr std::size_t tag_header = 8;  // type and size
constexpr std::uint32_t available_memory = 1;
constexpr std::uint8_t direct_colour = 1;
constexpr std::uint64_t low_memory_end = 1 << 20;
constexpr std::uint64_t address_limit = 1ull << 52;  // the architecture's widest physical address

// A text ends at its zero byte or, when there is none, with the tag.
std::string_view text_at(Bytes tag, std::size_t offset) {
  if (offset >= tag.size()) return {};
  std::size_t end = offset;
  while (end < tag.size() && tag[end] != std::byte{0}) ++end;
  return {reinterpret_cast<const char*>(&tag[offset]), end - offset};
}

Problem add_module(Bytes tag, BootStorage& storage) {
  constexpr std::size_t string_offset = tag_header + sizeof(ModuleTag);
  const auto module = value_at<ModuleTag>(tag, tag_header);
  const std::size_t count = storage.info.modules.size();
  if (tag.size() < string_offset || module.end < module.start) return "a module's tag is broken";
  if (module.start % reprise::page_size != 0) return "a module does not start at a page";
  if (count == storage.modules.size()) return "more than 64 modules";
  storage.modules[count] = {{PhysAddr{module.start}, module.end - module.start},
                            text_at(tag, string_offset)};
  storage.info.modules = std::span{storage.modules}.first(count + 1);
  return std::nullopt;
}

// Only what the text console can draw on: direct colour, 8 bits for each of red, green and blue.
void read_framebuffer(Bytes tag, Framebuffer& framebuffer) {
  const auto f = value_at<FramebufferTag>(tag, tag_header);
  if (f.type != direct_colour || (f.bits != 32 && f.bits != 24)) return;
  if (f.pitch / (f.bits / 8u) < f.width) return;
  for (const Colour colour : {f.red, f.green, f.blue}) {
    if (colour.size != 8 || colour.position > f.bits - 8) return;
  }
  framebuffer = {PhysAddr{f.address}, f.pitch, f.width, f.height, f.bits,
                 f.red.position, f.green.position, f.blue.position};
}

// Available entries come in first, then the others are cut out, because entries may overlap.
void read_memory_map(Bytes tag, MemoryRanges& memory) {
  const std::size_t entry_size = value_at<MemoryMapTag>(tag, tag_header).entry_size;
  if (entry_size < sizeof(MemoryEntry)) return;
  for (const bool adding : {true, false}) {
    for (std::size_t at = tag_header + sizeof(MemoryMapTag); at + entry_size <= tag.size();
         at += entry_size) {
      const auto entry = value_at<MemoryEntry>(tag, at);
      if ((entry.type == available_memory) != adding || entry.start >= address_limit) continue;
      const std::uint64_t room = address_limit - entry.start;
      const std::uint64_t end = entry.start + (entry.size < room ? entry.size : room);
      adding ? memory.add(entry.start, end) : memory.cut(entry.start, end);
    }
  }
}

}  // namespace

Problem parse_boot_info(Bytes blob, PhysAddr address, MemoryRange image, BootStorage& storage) {
  storage.info = {};
  BootInfo& info = storage.info;
  Bytes memory_map;
  TagType acpi = TagType::End;
  for (std::size_t at = tag_header;;) {  // the blob's own header is as long as a tag's
    if (at + tag_header > blob.size()) return "the tags have no end";
    const auto type = value_at<TagType>(blob, at);
    const std::size_t size = value_at<std::uint32_t>(blob, at + 4);
    if (type == TagType::End) break;
    if (size < tag_header || size > blob.size() - at) return "a tag is longer than the whole";
    const Bytes tag = blob.subspan(at, size);
    if (type == TagType::CommandLine) info.command_line = text_at(tag, tag_header);
    if (type == TagType::LoaderName) info.loader = text_at(tag, tag_header);
    if (type == TagType::MemoryMap) memory_map = tag;
    if (type == TagType::Framebuffer) read_framebuffer(tag, info.framebuffer);
    if (type == TagType::AcpiNew || (type == TagType::AcpiOld && acpi != TagType::AcpiNew)) {
      acpi = type;
      info.acpi_root = address + (at + tag_header);
    }
    if (type == TagType::Module) {
      if (const Problem problem = add_module(tag, storage)) return problem;
    }
    at += (size + 7) & ~std::size_t{7};
  }
  MemoryRanges memory{storage.memory};
  read_memory_map(memory_map, memory);
  info.total_memory = memory.total();
  const auto cut = [&](MemoryRange r) { memory.cut(r.start.value(), r.start.value() + r.size); };
  memory.cut(0, low_memory_end);
  cut(image);
  cut({address, blob.size()});
  for (const Module& module : info.modules) cut(module.range);
  info.memory = memory.ranges();
  if (info.memory.empty()) return "no memory is available";
  return std::nullopt;
}

}  // namespace arch
