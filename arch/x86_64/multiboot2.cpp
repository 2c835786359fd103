// See the header. Tag layouts: Multiboot2 specification 2.0 §3.6.
#include "arch/x86_64/multiboot2.hpp"

namespace arch {
namespace {

using reprise::PhysAddr;

enum class TagType : std::uint32_t { End = 0, Module = 3, MemoryMap = 6 };

// What stands behind the tag's own header.
struct MemoryEntry {
  std::uint64_t start, size;
  std::uint32_t type, reserved;
};

constexpr std::size_t tag_header = 8;  // type and size
constexpr std::uint32_t available_memory = 1;
constexpr std::uint64_t low_memory_end = 1 << 20;
constexpr std::uint64_t address_limit = 1ull << 52;  // the architecture's widest physical address

BootInfoResult failure(std::string_view problem) { return reprise::Failure{problem}; }

// A text ends at its zero byte or, when there is none, with the tag.
bool is_text(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         __builtin_memcmp(bytes.data(), text.data(), text.size()) == 0 &&
         (bytes.size() == text.size() || bytes[text.size()] == std::byte{0});
}

BootInfoResult add_module(Bytes tag, BootStorage& storage) {
  constexpr std::size_t string_offset = 16;
  const auto start = value_at<std::uint32_t>(tag, 8), end = value_at<std::uint32_t>(tag, 12);
  BootInfo& info = storage.info;
  const std::size_t count = info.modules.size();
  if (tag.size() < string_offset || end < start) return failure("a module's tag is broken");
  if (start % reprise::page_size != 0) return failure("a module does not start at a page");
  if (count == storage.modules.size()) return failure("more than 64 modules");
  storage.modules[count] = {PhysAddr{start}, end - start};
  info.modules = std::span{storage.modules}.first(count + 1);
  const Bytes string = tag.subspan(string_offset);
  if (!info.init && is_text(string, "init")) info.init = count;
  if (!info.personality && is_text(string, "personality")) info.personality = count;
  return reprise::Done{};
}

void add_pages(BootStorage& storage, MemoryRange range, bool available) {
  const std::uint64_t start = range.start.value();
  if (range.size == 0 || start >= address_limit) return;
  const std::uint64_t room = address_limit - start;
  const std::uint64_t end = start + (range.size < room ? range.size : room);
  const MemoryPages pages{available ? reprise::round_up(start) : reprise::round_down(start),
                          available ? reprise::round_down(end) : reprise::round_up(end), available};
  if (pages.start >= pages.end) return;
  storage.entries[storage.entry_count] = pages;
  ++storage.entry_count;
}

BootInfoResult read_memory_map(Bytes tag, BootStorage& storage) {
  constexpr std::size_t first_entry = 16;
  const std::size_t entry_size = value_at<std::uint32_t>(tag, 8);
  if (entry_size < sizeof(MemoryEntry)) return reprise::Done{};
  for (std::size_t at = first_entry; at + entry_size <= tag.size(); at += entry_size) {
    if (storage.entry_count == max_memory_entries)
      return failure("the memory map has over 1024 entries");
    const auto entry = value_at<MemoryEntry>(tag, at);
    add_pages(storage, {PhysAddr{entry.start}, entry.size}, entry.type == available_memory);
  }
  return reprise::Done{};
}

// Each page that is available and not taken, once: of every available entry the gaps between what
// is taken of it, by others or by an available entry before it.
template <class Found>
void find_free(const BootStorage& storage, Found found) {
  const auto entries = std::span{storage.entries}.first(storage.entry_count);
  for (const MemoryPages& own : entries) {
    if (!own.available) continue;
    for (std::uint64_t at = own.start; at < own.end;) {
      std::uint64_t end = own.end, next = end;
      for (const MemoryPages& other : entries) {
        const bool takes = !other.available || &other < &own;
        if (!takes || other.end <= at || other.start >= end) continue;
        end = other.start;
        next = other.end;
      }
      if (at < end) found(MemoryRange{PhysAddr{at}, end - at});
      at = next;
    }
  }
}

// In the place of the smallest: while there is room, of one that is empty.
void keep(std::span<MemoryRange> kept, MemoryRange range) {
  MemoryRange* smallest = &kept[0];
  for (MemoryRange& other : kept) {
    if (other.size < smallest->size) smallest = &other;
  }
  if (range.size > smallest->size) *smallest = range;
}

}  // namespace

BootInfoResult parse_boot_info(Bytes blob, PhysAddr address, MemoryRange image,
                               BootStorage& storage) {
  BootInfo& info = storage.info;
  info.blob = {address, blob.size()};
  Bytes memory_map;
  for (std::size_t at = tag_header;;) {  // the blob's own header is as long as a tag's
    if (at + tag_header > blob.size()) return failure("the tags have no end");
    const auto type = value_at<TagType>(blob, at);
    const std::size_t size = value_at<std::uint32_t>(blob, at + 4);
    if (type == TagType::End) break;
    if (size < tag_header || size > blob.size() - at)
      return failure("a tag is longer than the whole");
    const Bytes tag = blob.subspan(at, size);
    if (type == TagType::MemoryMap) memory_map = tag;
    if (type == TagType::Module) {
      const BootInfoResult added = add_module(tag, storage);
      if (!added) return added;
    }
    at += (size + 7) & ~std::size_t{7};
  }
  const BootInfoResult read = read_memory_map(memory_map, storage);
  if (!read) return read;
  find_free(storage, [&](MemoryRange range) { info.total_memory += range.size; });
  const auto take = [&](MemoryRange range) { add_pages(storage, range, false); };
  take({PhysAddr{0}, low_memory_end});
  take(image);
  take(info.blob);
  for (const MemoryRange& module : info.modules) take(module);
  find_free(storage, [&](MemoryRange range) { keep(storage.memory, range); });
  info.memory = storage.memory;
  if (info.memory[0].size == 0) return failure("no memory is available");
  return reprise::Done{};
}

}  // namespace arch
