#include "kernel/process/loader.hpp"

#include <new>

#include "arch/frame_memory.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/process/initial_stack.hpp"

namespace reprise {
namespace {

Failure<Error> failure_of(MemoryError error) {
  return Failure{error == MemoryError::Exhausted ? Error::OutOfMemory : Error::ElfAddress};
}

std::span<const std::byte> bytes_of(const arch::MemoryRange& range) {
  return arch::physical_bytes(range.start, range.size);
}

arch::Permissions permissions_of(const ElfSegment& segment) {
  return {segment.read, segment.write, segment.execute};
}

}  // namespace

Result<Done, Error> Loader::start(std::string_view name,
                                  std::span<const std::string_view> arguments,
                                  const arch::MemoryRange& range, ProcessTable& table) {
  const Result<ElfImage, Error> program = parse_elf(bytes_of(range));
  if (!program) return Failure{program.error()};
  const ElfImage& image = program.value();
  const bool native = image.native_version.has_value();
  if (!native && !companions_.personality) return Failure{Error::NoPersonality};

  std::optional<AddressSpace> made = AddressSpace::create(frames_, zero_);
  if (!made) return Failure{Error::OutOfMemory};
  AddressSpace& space = *made;
  if (const auto mapped = map_image(space, range, image); !mapped) return mapped;
  if (const auto mapped = map_archive(space); !mapped) return mapped;

  const auto stack = PageRange::of(UserAddr{stack_high - stack_bytes}, stack_bytes);
  const auto stacked =
      space.map_zero(stack.value(), {.read = true, .write = true}, Existing::Refuse);
  if (!stacked) return failure_of(stacked.error());

  reprise_start start{};
  start.abi_version = REPRISE_ABI_VERSION;
  start.process = table.size() + 1;
  start.archive_address = companions_.archive ? archive_base : 0;
  start.archive_bytes = companions_.archive ? companions_.archive->size : 0;
  start.program_entry = native ? 0 : image.entry.value();
  start.program_break = address_of(image.end_page).value();
  start.stack_low = stack_high - stack_bytes;
  start.stack_high = stack_high;
  start.map_low = mmap_low;
  start.map_high = mmap_high;
  const auto initial =
      build_initial_stack(space, arguments, settings_.environment(), image, start);
  if (!initial) return failure_of(initial.error());

  ElfImage first = image;  // where the process begins: the program, or the personality beside it
  if (!native) {
    const auto personality =
        parse_elf(bytes_of(*companions_.personality), ElfPlace::Personality);
    if (!personality) return Failure{personality.error()};
    first = personality.value();
    const auto mapped = map_image(space, *companions_.personality, first);
    if (!mapped) return mapped;
  }

  const std::optional<Process::Storage> storage = make_storage(settings_.hardens(name));
  if (!storage) return Failure{Error::OutOfMemory};
  Process& process = table.add(table.size() + 1, name, std::move(space), *storage, frames_,
                               injector_, settings_);
  process.image_low = address_of(first.first_page);
  process.image_high = address_of(first.end_page);
  arch::initialize(process.registers(), first.entry.value(),
                   initial.value().stack_pointer.value());
  process.registers()[arch::Register::Rdi] = initial.value().start_block.value();
  return Done{};
}

Result<Done, Error> Loader::map_image(AddressSpace& space, const arch::MemoryRange& file,
                                      const ElfImage& image) {
  for (const ElfSegment& segment : image.segments()) {
    if (const auto mapped = map_segment(space, file, segment); !mapped) return mapped;
  }
  return Done{};
}

// Whole pages of the file are mapped where they lie. The segment's last page of file content is
// copied when zeros follow it in memory, or when the file ends in it: what lies behind the file in
// physical memory is nobody's to see.
Result<Done, Error> Loader::map_segment(AddressSpace& space, const arch::MemoryRange& file,
                                        const ElfSegment& segment) {
  const std::uint64_t low = round_down(segment.address.value());
  const std::uint64_t high = round_up(segment.address.value() + segment.memory_bytes);
  const auto range = PageRange::of(UserAddr{low}, high - low);
  if (!range) return failure_of(range.error());
  const auto zeroed =
      space.map_zero(range.value(), permissions_of(segment), Existing::Refuse);
  if (!zeroed) return failure_of(zeroed.error());

  const std::uint64_t head = segment.address.value() - low;
  const std::uint64_t first_offset = segment.file_offset - head;
  const std::uint64_t file_end = segment.file_offset + segment.file_bytes;
  for (std::uint64_t offset = first_offset; offset < file_end; offset += page_size) {
    const std::uint64_t address = low + (offset - first_offset);
    const bool ends_here = file_end < offset + page_size;
    const bool zeros_follow = ends_here && segment.memory_bytes > segment.file_bytes;
    const bool file_ends = offset + page_size > file.size;
    if (zeros_follow || file_ends) {
      const std::uint64_t from = offset < segment.file_offset ? segment.file_offset : offset;
      const std::uint64_t to = ends_here ? file_end : offset + page_size;
      const auto loaded = space.load(UserAddr{address + (from - offset)},
                                     bytes_of(file).subspan(from, to - from));
      if (!loaded) return failure_of(loaded.error());
      continue;
    }
    const FrameNumber frame = frame_of(file.start + offset);
    const auto mapped =
        space.map_shared(page_of(UserAddr{address}), frame, permissions_of(segment));
    if (!mapped) return failure_of(mapped.error());
  }
  return Done{};
}

Result<Done, Error> Loader::map_archive(AddressSpace& space) {
  if (!companions_.archive) return Done{};
  const arch::MemoryRange& archive = *companions_.archive;
  for (std::uint64_t offset = 0; offset < archive.size; offset += page_size) {
    const PageNumber page = page_of(UserAddr{archive_base + offset});
    if (offset + page_size <= archive.size) {
      const auto mapped = space.map_shared(page, frame_of(archive.start + offset), {});
      if (!mapped) return failure_of(mapped.error());
      continue;
    }
    const auto zeroed = space.map_shared(page, zero_, {});
    if (!zeroed) return failure_of(zeroed.error());
    const auto loaded =
        space.load(address_of(page), bytes_of(archive).subspan(offset));
    if (!loaded) return failure_of(loaded.error());
  }
  return Done{};
}

std::optional<Process::Storage> Loader::make_storage(bool hardened) {
  const auto state = [&]() -> arch::UserState* {
    const std::optional<FrameNumber> frame = frames_.allocate();
    return frame ? new (arch::frame_words(*frame).data()) arch::UserState{} : nullptr;
  };
  Process::Storage storage{state(), nullptr, nullptr, {}};
  if (storage.live == nullptr) return std::nullopt;
  if (!hardened) return storage;
  storage.start = state();
  storage.first = state();
  using Entry = dwc::PageEntry<KernelPlatform>;
  const std::size_t bytes = settings_.pe_pages * sizeof(Entry);
  const auto frames = frames_.allocate_adjacent(round_up(bytes) >> page_shift);
  if (storage.start == nullptr || storage.first == nullptr || !frames) return std::nullopt;
  auto* const entries = reinterpret_cast<Entry*>(arch::frame_words(*frames).data());
  for (std::size_t i = 0; i < settings_.pe_pages; ++i) new (&entries[i]) Entry{};
  storage.pages = {entries, settings_.pe_pages};
  return storage;
}

}  // namespace reprise
