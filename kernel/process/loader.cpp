#include "kernel/process/loader.hpp"

#include <utility>

#include "arch/boot_info.hpp"
#include "arch/direct_map.hpp"
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "arch/physical_memory.hpp"
#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

static_assert(REPRISE_IMAGE_BASE == personality_base && REPRISE_IMAGE_END == personality_end);

constexpr arch::Permissions read_only{};
constexpr arch::Permissions read_write{.read = true, .write = true};
constexpr arch::Permissions executable{.read = true, .execute = true};

// The header of a flat image that lies wholly in its module; all of it is checked here.
std::optional<reprise_image> read_image(const arch::MemoryRange& module) {
  reprise_image image;
  if (module.size < sizeof image) return std::nullopt;
  __builtin_memcpy(&image, arch::physical_bytes(module.start, sizeof image).data(), sizeof image);
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
  return static_cast<bool>(first ? space.map_frames(*range, *first, permissions)
                                 : space.map_zero(*range, permissions));
}

// Memory that the kernel uses is nobody's to have. (Of ports, interrupt controllers that init has
// not told of yet, and what devices do, init alone knows.)
std::optional<Grants> grants_of(const ProgramRequest& request) {
  Grants grants;
  for (const reprise_grant& grant : std::span{request.grants}.first(request.grant_count)) {
    const bool good = grant.kind == REPRISE_GRANT_MEMORY
                          ? arch::is_device_memory(PhysAddr{grant.first}, PhysAddr{grant.last})
                          : grant.kind != REPRISE_GRANT_INTERRUPT || grant.last < 32;
    if (!good || !grants.add(grant)) return std::nullopt;
  }
  return grants;
}

// A module where it lies. What lies behind its end in physical memory is nobody's to see: the last
// page is a copy when the module ends in it.
bool map_file(AddressSpace& space, std::uint64_t address, const arch::MemoryRange& file) {
  const std::uint64_t whole = round_down(file.size), rest = file.size - whole;
  const UserAddr tail{address + whole};
  if (!map_part(space, UserAddr{address}, frame_of(file.start), whole, read_only)) return false;
  return rest == 0 || (map_part(space, tail, std::nullopt, page_size, read_only) &&
                       space.load(tail, arch::physical_bytes(file.start + whole, rest)));
}

bool map_image(AddressSpace& space, const reprise_image& image, FrameNumber frame) {
  UserAddr address{personality_base};
  const auto map = [&](std::uint64_t pages, arch::Permissions permissions) {
    const bool mapped = map_part(space, address, frame, pages * page_size, permissions);
    address = address + pages * page_size;
    frame = frame + pages;
    return mapped;
  };
  return map(image.code_pages, executable) && map(image.constant_pages, read_only) &&
         map(image.data_pages, read_write) &&
         map_part(space, address, std::nullopt, image.zero_pages * page_size, read_write);
}

// At the top of the program's stack: the start block, and above it the strings.
std::optional<UserAddr> write_start(AddressSpace& space, reprise_start start,
                                    std::span<const char> strings) {
  start.stack_low = stack_high - stack_bytes;
  start.stack_high = stack_high;
  start.map_low = mmap_low;
  start.map_high = mmap_high;
  start.strings = stack_high - strings.size();
  const UserAddr block{(start.strings - sizeof start) & ~63ull};
  const bool done =
      map_part(space, UserAddr{start.stack_low}, std::nullopt, stack_bytes, read_write) &&
      space.load(block, std::as_bytes(std::span{&start, 1})) &&
      space.load(UserAddr{start.strings}, std::as_bytes(strings));
  return done ? std::optional{block} : std::nullopt;
}

}  // namespace

std::int64_t start_process(Machine& machine, const ProgramRequest& request,
                           std::span<const char> strings) {
  const auto& modules = machine.boot->modules;
  const auto& personality = machine.boot->personality;
  const auto image = personality ? read_image(modules[*personality]) : std::nullopt;
  ProcessTable& table = machine.processes;
  const bool has_archive = request.archive != no_archive;
  if (!image || request.module >= modules.size() || modules[request.module].size == 0 ||
      (has_archive && request.archive >= modules.size()) || table.size() == table.capacity ||
      request.grant_count > request.grants.size()) {
    return -REPRISE_BAD_ARGUMENT;
  }
  const arch::MemoryRange& file = modules[request.module];
  const auto archive = has_archive ? modules[request.archive] : arch::MemoryRange{};
  const std::optional<Grants> grants = grants_of(request);
  if (!grants) return -REPRISE_NOT_GRANTED;
  std::optional<AddressSpace> space = AddressSpace::create(machine.frames, machine.zero);
  if (!space || !map_image(*space, *image, frame_of(modules[*personality].start)) ||
      !map_file(*space, program_file_base, file) || !map_file(*space, archive_base, archive)) {
    return -REPRISE_NO_MEMORY;
  }
  reprise_start start{};
  start.abi_version = REPRISE_ABI_VERSION;
  start.process = table.size() + 1;
  start.archive_address = archive.size != 0 ? archive_base : 0;
  start.archive_bytes = archive.size;
  start.file_address = program_file_base;
  start.file_bytes = file.size;
  start.argument_count = request.argument_count;
  start.environment_count = request.environment_count;
  const std::optional<UserAddr> block = write_start(*space, start, strings);
  Process* const process =
      block ? table.add(machine.frames, start.process, request, std::move(*space), machine.frames,
                        machine.injector, machine.settings)
            : nullptr;
  if (process == nullptr) return -REPRISE_NO_MEMORY;
  process->program_file = file;
  process->grants = *grants;
  arch::connect_interrupts(grants->lines());
  arch::initialize(process->registers(), image->entry, 0);
  process->registers()[arch::Register::Rdi] = block->value();
  return static_cast<std::int64_t>(process->id());
}

}  // namespace reprise
