#include "kernel/process/loader.hpp"

#include <new>

#include "arch/frame_memory.hpp"
#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

static_assert(REPRISE_IMAGE_BASE == personality_base && REPRISE_IMAGE_END == personality_end);

constexpr arch::Permissions read_only{};
constexpr arch::Permissions read_write{.read = true, .write = true};
constexpr arch::Permissions executable{.read = true, .execute = true};

std::span<const std::byte> bytes_of(const arch::MemoryRange& range) {
  return arch::physical_bytes(range.start, range.size);
}

// The header of a flat image that lies wholly in its module; all of it is checked here.
std::optional<reprise_image> read_image(const arch::MemoryRange& module) {
  reprise_image image;
  if (module.size < sizeof image) return std::nullopt;
  __builtin_memcpy(&image, bytes_of(module).data(), sizeof image);
  constexpr std::uint64_t most = (personality_end - personality_base) >> page_shift;
  std::uint64_t pages = 0;
  for (const std::uint64_t part : {image.code_pages, image.constant_pages, image.data_pages}) {
    if (part > most) return std::nullopt;
    pages += part;
  }
  if (image.magic != REPRISE_IMAGE_MAGIC || pages > module.size >> page_shift ||
      image.zero_pages > most - pages) {
    return std::nullopt;
  }
  return image;
}

// Frames that follow each other from `first` on, or fresh zero pages. No bytes are fine.
bool map_part(AddressSpace& space, UserAddr address, std::optional<FrameNumber> first,
              std::uint64_t bytes, arch::Permissions permissions) {
  if (bytes == 0) return true;
  const auto range = PageRange::of(address, bytes);
  if (!range) return false;
  return static_cast<bool>(first ? space.map_frames(range.value(), *first, permissions)
                                 : space.map_zero(range.value(), permissions, Existing::Refuse));
}

}  // namespace

Result<Done, Error> Loader::start(std::string_view name,
                                  std::span<const std::string_view> arguments,
                                  const arch::MemoryRange& file, ProcessTable& table) {
  const std::optional<reprise_image> image = read_image(companions_.personality);
  if (!image) return Failure{Error::NoPersonality};
  std::optional<AddressSpace> space = AddressSpace::create(frames_, zero_);
  if (!space || !map_image(*space, *image) || !map_file(*space, program_file_base, file) ||
      !map_file(*space, archive_base, companions_.archive)) {
    return Failure{Error::OutOfMemory};
  }
  reprise_start start{};
  start.abi_version = REPRISE_ABI_VERSION;
  start.process = table.size() + 1;
  start.archive_address = companions_.archive.size != 0 ? archive_base : 0;
  start.archive_bytes = companions_.archive.size;
  start.file_address = program_file_base;
  start.file_bytes = file.size;
  start.hardware_capabilities = arch::hardware_capabilities();
  const std::optional<UserAddr> block = write_start(*space, start, arguments);
  const std::optional<Process::Storage> storage = make_storage(settings_.hardens(name));
  if (!block || !storage) return Failure{Error::OutOfMemory};

  Process& process =
      table.add(table.size() + 1, name, std::move(*space), *storage, frames_, injector_, settings_);
  process.program_file = file;
  arch::initialize(process.registers(), image->entry, 0);
  process.registers()[arch::Register::Rdi] = block->value();
  return Done{};
}

// A module where it lies. What lies behind its end in physical memory is nobody's to see: the last
// page is a copy when the module ends in it.
bool Loader::map_file(AddressSpace& space, std::uint64_t address, const arch::MemoryRange& file) {
  const std::uint64_t whole = round_down(file.size), rest = file.size - whole;
  const UserAddr tail{address + whole};
  if (!map_part(space, UserAddr{address}, frame_of(file.start), whole, read_only)) return false;
  return rest == 0 || (map_part(space, tail, std::nullopt, page_size, read_only) &&
                       space.load(tail, bytes_of(file).subspan(whole)));
}

bool Loader::map_image(AddressSpace& space, const reprise_image& image) {
  struct Part {
    std::uint64_t pages;
    arch::Permissions permissions;
  };
  FrameNumber frame = frame_of(companions_.personality.start);
  UserAddr address{personality_base};
  for (const auto& [pages, permissions] :
       {Part{image.code_pages, executable}, Part{image.constant_pages, read_only},
        Part{image.data_pages, read_write}}) {
    const std::uint64_t bytes = pages * page_size;
    if (!map_part(space, address, frame, bytes, permissions)) return false;
    address = address + bytes;
    frame = frame + pages;
  }
  return map_part(space, address, std::nullopt, image.zero_pages * page_size, read_write);
}

// At the top of the program's stack: the start block, and above it the strings.
std::optional<UserAddr> Loader::write_start(AddressSpace& space, reprise_start start,
                                            std::span<const std::string_view> arguments) {
  start.stack_low = stack_high - stack_bytes;
  start.stack_high = stack_high;
  start.map_low = mmap_low;
  start.map_high = mmap_high;
  start.argument_count = arguments.size();
  start.environment_count = settings_.environment().size();
  const std::array lists{arguments, settings_.environment()};
  std::uint64_t size = 0;
  for (const auto& list : lists) {
    for (const std::string_view text : list) size += text.size() + 1;
  }
  start.strings = stack_high - size;
  const UserAddr block{(start.strings - sizeof start) & ~63ull};
  bool done = map_part(space, UserAddr{start.stack_low}, std::nullopt, stack_bytes, read_write) &&
              space.load(block, std::as_bytes(std::span{&start, 1}));
  UserAddr at{start.strings};
  for (const auto& list : lists) {
    for (const std::string_view text : list) {  // its NUL is there already
      done = done && space.load(at, std::as_bytes(std::span{text}));
      at = at + text.size() + 1;
    }
  }
  return done ? std::optional{block} : std::nullopt;
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
