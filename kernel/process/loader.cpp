#include "kernel/process/loader.hpp"

#include <array>
#include <new>
#include <utility>

#include "arch/device_access.hpp"
#include "arch/frame_memory.hpp"
#include "arch/run_user.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/memory_map.hpp"
#include "kernel/parse/settings.hpp"
#include "kernel/report/report.hpp"

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

constexpr std::size_t max_arguments = 128;

// The words of all module strings: process names are views into it for as long as the machine
// runs. A boot that needs more gets the error for module strings.
std::array<char, 64 << 10> text_store;
std::size_t text_used = 0;

struct Loader {
  FrameAllocator& frames;
  Injector& injector;
  const Settings& settings;
  ProcessTable& table;
  FrameNumber zero;
  arch::MemoryRange personality{}, archive{};  // what all programs share; empty: there is none
  std::size_t programs = 0;
  std::optional<Error> first_error{};

  void find_companion(const arch::Module& module);
  void start_program(const arch::Module& module);
  void fail(Error error, std::string_view subject);
  Result<Done, Error> start(std::string_view name, std::span<const std::string_view> arguments,
                            const arch::MemoryRange& file);
  bool map_file(AddressSpace& space, std::uint64_t address, const arch::MemoryRange& file);
  bool map_image(AddressSpace& space, const reprise_image& image);
  std::optional<UserAddr> write_start(AddressSpace& space, reprise_start start,
                                      std::span<const std::string_view> arguments);
  std::optional<Process::Storage> make_storage(bool hardened);
};

// Memory of the kernel's, or what else it needs for itself, is nobody's to have.
std::optional<Grants> grants_of(std::string_view process, const Settings& settings) {
  Grants grants;
  for (const auto& [name, grant] : settings.grants()) {
    if (name != process) continue;
    const bool good =
        grant.kind != REPRISE_GRANT_MEMORY ||
        arch::is_device_memory(PhysAddr{grant.first}, PhysAddr{grant.last});
    if (!good || !grants.add(grant)) return std::nullopt;
  }
  return grants;
}

std::optional<ModulePurpose> purpose_of(const arch::Module& module,
                                        std::span<std::string_view> words) {
  const std::span<char> room = std::span{text_store}.subspan(text_used);
  const auto purpose = parse_module_string(module.string, room, words);
  if (!purpose) return std::nullopt;
  if (purpose.value().role == ModuleRole::Program) text_used += module.string.size();
  return purpose.value();
}

void Loader::fail(Error error, std::string_view subject) {
  print_error(error, subject);
  if (!first_error) first_error = error;
}

void Loader::find_companion(const arch::Module& module) {
  std::array<std::string_view, max_arguments> words;
  const auto purpose = purpose_of(module, words);
  if (!purpose || purpose->role == ModuleRole::Program) return;
  if (module.range.size == 0) return fail(Error::EmptyModule, module.string);
  (purpose->role == ModuleRole::Archive ? archive : personality) = module.range;
}

void Loader::start_program(const arch::Module& module) {
  std::array<std::string_view, max_arguments> words;
  const auto purpose = purpose_of(module, words);
  if (!purpose) return fail(Error::ModuleString, module.string);
  if (purpose->role != ModuleRole::Program) return;
  ++programs;
  if (module.range.size == 0) return fail(Error::EmptyModule, purpose->name);
  const auto started = start(purpose->name, purpose->argv, module.range);
  if (!started) fail(started.error(), purpose->name);
}

Result<Done, Error> Loader::start(std::string_view name,
                                  std::span<const std::string_view> arguments,
                                  const arch::MemoryRange& file) {
  const std::optional<Grants> grants = grants_of(name, settings);
  if (!grants) return Failure{Error::BadGrant};
  const std::optional<reprise_image> image = read_image(personality);
  if (!image) return Failure{Error::NoPersonality};
  std::optional<AddressSpace> space = AddressSpace::create(frames, zero);
  if (!space || !map_image(*space, *image) || !map_file(*space, program_file_base, file) ||
      !map_file(*space, archive_base, archive)) {
    return Failure{Error::OutOfMemory};
  }
  reprise_start start{};
  start.abi_version = REPRISE_ABI_VERSION;
  start.process = table.size() + 1;
  start.archive_address = archive.size != 0 ? archive_base : 0;
  start.archive_bytes = archive.size;
  start.file_address = program_file_base;
  start.file_bytes = file.size;
  start.hardware_capabilities = arch::hardware_capabilities();
  const std::optional<UserAddr> block = write_start(*space, start, arguments);
  const std::optional<Process::Storage> storage = make_storage(settings.hardens(name));
  if (!block || !storage) return Failure{Error::OutOfMemory};

  Process& process =
      table.add(table.size() + 1, name, std::move(*space), *storage, frames, injector, settings);
  process.program_file = file;
  process.grants = *grants;
  arch::connect_interrupts(grants->lines());
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
  FrameNumber frame = frame_of(personality.start);
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
  start.environment_count = settings.environment().size();
  const std::array lists{arguments, settings.environment()};
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
    const std::optional<FrameNumber> frame = frames.allocate();
    return frame ? new (arch::frame_words(*frame).data()) arch::UserState{} : nullptr;
  };
  Process::Storage storage{state(), nullptr, nullptr, {}};
  if (storage.live == nullptr) return std::nullopt;
  if (!hardened) return storage;
  storage.start = state();
  storage.first = state();
  using Entry = dwc::PageEntry<KernelPlatform>;
  const std::size_t bytes = settings.pe_pages * sizeof(Entry);
  const auto entry_frames = frames.allocate_adjacent(round_up(bytes) >> page_shift);
  if (storage.start == nullptr || storage.first == nullptr || !entry_frames) return std::nullopt;
  auto* const entries = reinterpret_cast<Entry*>(arch::frame_words(*entry_frames).data());
  for (std::size_t i = 0; i < settings.pe_pages; ++i) new (&entries[i]) Entry{};
  storage.pages = {entries, settings.pe_pages};
  return storage;
}

}  // namespace

std::optional<Error> start_programs(std::span<const arch::Module> modules, FrameAllocator& frames,
                                    Injector& injector, const Settings& settings,
                                    ProcessTable& table) {
  const std::optional<FrameNumber> zero = frames.allocate();
  REPRISE_ASSERT(zero);  // the machine has its least memory: that was checked
  arch::clear_frame(*zero);
  Loader loader{frames, injector, settings, table, *zero};
  for (const arch::Module& module : modules) loader.find_companion(module);
  for (const arch::Module& module : modules) loader.start_program(module);
  if (loader.programs == 0 && !loader.first_error) loader.fail(Error::NoProgram, "boot modules");
  return loader.first_error;
}

}  // namespace reprise
