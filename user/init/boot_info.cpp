#include "user/init/boot_info.hpp"

#include "user/loader/bytes.hpp"

namespace reprise {
namespace {

enum class TagType : std::uint32_t {
  End = 0,
  CommandLine = 1,
  Module = 3,
  Framebuffer = 8,
  AcpiOld = 14,
  AcpiNew = 15,
};

struct TagHeader {
  TagType type;
  std::uint32_t size;  // with this header
};
struct ModuleTag {
  std::uint32_t start, end;
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

constexpr std::uint8_t direct_colour = 1;

// A text ends at its zero byte or, when there is none, with the tag.
std::string_view text_in(Bytes content) {
  std::size_t end = 0;
  while (end < content.size() && content[end] != std::byte{0}) ++end;
  return {reinterpret_cast<const char*>(content.data()), end};
}

void add_module(Bytes content, BootFacts& facts) {
  const auto module = read_as<ModuleTag>(content, 0);
  if (!module || module->end < module->start || facts.module_count == most_modules) return;
  facts.module_table[facts.module_count] = {.string = text_in(content.subspan(sizeof *module)),
                                            .bytes = module->end - module->start};
  ++facts.module_count;
}

// Only what the screen can draw on: direct colour, 8 bits for each of red, green and blue.
void read_framebuffer(Bytes content, Framebuffer& framebuffer) {
  const auto f = read_as<FramebufferTag>(content, 0);
  if (!f || f->type != direct_colour || (f->bits != 32 && f->bits != 24)) return;
  if (f->pitch / (f->bits / 8u) < f->width) return;
  for (const Colour colour : {f->red, f->green, f->blue}) {
    if (colour.size != 8 || colour.position > f->bits - 8) return;
  }
  framebuffer = {.address = f->address,
                 .pitch = f->pitch,
                 .width = f->width,
                 .height = f->height,
                 .bits = f->bits,
                 .colours = {f->red.position, f->green.position, f->blue.position}};
}

}  // namespace

BootFacts parse_boot_facts(std::span<const std::byte> blob, std::uint64_t address) {
  BootFacts facts;
  bool newer_acpi = false;
  for (std::size_t at = sizeof(TagHeader);;) {  // the blob's own header is as long as a tag's
    const auto header = read_as<TagHeader>(blob, at);
    if (!header || header->type == TagType::End || header->size < sizeof(TagHeader)) return facts;
    const auto tag = slice(blob, at, header->size);
    if (!tag) return facts;
    const Bytes content = tag->subspan(sizeof(TagHeader));
    if (header->type == TagType::CommandLine) facts.command_line = text_in(content);
    if (header->type == TagType::Module) add_module(content, facts);
    if (header->type == TagType::Framebuffer) read_framebuffer(content, facts.framebuffer);
    const bool newer = header->type == TagType::AcpiNew;
    if (newer || (header->type == TagType::AcpiOld && !newer_acpi)) {
      newer_acpi = newer;
      facts.acpi_root = address + at + sizeof(TagHeader);
    }
    at += (header->size + std::size_t{7}) & ~std::size_t{7};
  }
}

}  // namespace reprise
