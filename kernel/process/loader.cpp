#include "kernel/process/loader.hpp"

#include <array>
#include <utility>

#include "arch/boot_info.hpp"
#include "arch/direct_map.hpp"
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "arch/physical_memory.hpp"
#include "arch/virtual_cpu.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/memory_map.hpp"
#include "kernel/context/gate.hpp"

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

// Of device memory and interrupt lines the kernel knows what can be given. Of ports, of interrupt
// controllers that init has not told of yet, and of what devices do, init alone knows.
bool can_be_granted(const reprise_grant& grant) {
  switch (grant.kind) {
    case REPRISE_GRANT_MEMORY:
      return arch::is_device_memory(PhysAddr{grant.first}, PhysAddr{grant.last});
    case REPRISE_GRANT_INTERRUPT: return grant.last < Grants::most_lines;
    default: return true;
  }
}

ContextSettings context_settings(const ProgramRequest& request, const KernelSettings& settings) {
  return {.hardened = request.hardened != 0,
          .priority = static_cast<unsigned>(request.priority),
          .kernel = settings};
}

std::optional<Grants> grants_of(const ProgramRequest& request) {
  Grants grants;
  for (const reprise_grant& grant : std::span{request.grants}.first(request.grant_count)) {
    if (!can_be_granted(grant) || !grants.add(grant)) return std::nullopt;
  }
  return grants;
}

// A module where it lies. Nobody may see what follows its end in physical memory: when the module
// ends within a page, that page is a copy.
bool map_file(AddressSpace& space, std::uint64_t address, const arch::MemoryRange& file) {
  const std::uint64_t whole = round_down(file.size), rest = file.size - whole;
  const UserAddr tail{address + whole};
  if (!map_part(space, UserAddr{address}, frame_containing(file.start), whole, read_only))
    return false;
  return rest == 0 || (map_part(space, tail, std::nullopt, page_size, read_only) &&
                       space.load(tail, arch::physical_bytes(file.start + whole, rest)));
}

bool map_image(AddressSpace& space, const reprise_image& image, FrameNumber frame) {
  struct Part {
    std::uint64_t pages;
    arch::Permissions permissions;
  };
  const std::array parts{
      Part{.pages = image.code_pages, .permissions = executable},
      Part{.pages = image.constant_pages, .permissions = read_only},
      Part{.pages = image.data_pages, .permissions = read_write},
  };
  UserAddr address{personality_base};
  for (const Part& part : parts) {
    const std::uint64_t bytes = part.pages * page_size;
    if (!map_part(space, address, frame, bytes, part.permissions)) return false;
    address = address + bytes;
    frame = frame + part.pages;
  }
  return map_part(space, address, std::nullopt, image.zero_pages * page_size, read_write);
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

Result<Loader::Parts, reprise_error> Loader::parts_of(const ProgramRequest& request) const {
  const Failure bad{REPRISE_BAD_ARGUMENT};
  if (!boot_.personality || !is_module(request.module)) return bad;
  const arch::MemoryRange& personality = boot_.modules[*boot_.personality];
  const auto image = read_image(personality);
  if (!image) return bad;
  const arch::MemoryRange& file = boot_.modules[request.module];
  if (file.size == 0 || request.grant_count > request.grants.size()) return bad;
  arch::MemoryRange archive{};
  if (request.archive != no_archive) {
    if (!is_module(request.archive)) return bad;
    archive = boot_.modules[request.archive];
  }
  const std::optional<Grants> grants = grants_of(request);
  if (!grants) return Failure{REPRISE_NOT_GRANTED};
  return Parts{.personality = personality,
               .image = *image,
               .file = file,
               .archive = archive,
               .grants = *grants};
}

// Nothing: memory is exhausted.
std::optional<LoadedSpace> Loader::load(const Parts& parts, reprise_start start,
                                        std::span<const char> strings) const {
  std::optional<AddressSpace> space = AddressSpace::create(frames_, zero_);
  if (!space) return std::nullopt;
  const FrameNumber image_frame = frame_containing(parts.personality.start);
  if (!map_image(*space, parts.image, image_frame) ||
      !map_file(*space, program_file_base, parts.file) ||
      !map_file(*space, archive_base, parts.archive)) {
    return std::nullopt;
  }
  start.archive_address = parts.archive.size != 0 ? archive_base : 0;
  start.archive_bytes = parts.archive.size;
  start.file_address = program_file_base;
  start.file_bytes = parts.file.size;
  const std::optional<UserAddr> block = write_start(*space, start, strings);
  if (!block) return std::nullopt;
  return LoadedSpace{
      .space = std::move(*space), .entry = UserAddr{parts.image.entry}, .start_block = *block};
}

Result<Process*, reprise_error> Loader::start_guest(ProcessTable& table,
                                                    const ProgramRequest& request,
                                                    const KernelSettings& settings,
                                                    const ContextResources& resources) const {
  const Process* const monitor = table.find(request.monitor);
  const bool is_program =
      monitor != nullptr && !monitor->has_ended() && !monitor->context().guest();
  if (!is_program) return Failure{REPRISE_BAD_ARGUMENT};
  switch (arch::start_guests(frames_)) {
    case arch::GuestSupport::Present: break;
    case arch::GuestSupport::NoMemory: return Failure{REPRISE_NO_MEMORY};
    default: return Failure{REPRISE_NOT_GRANTED};
  }
  if (table.full()) return Failure{REPRISE_BAD_ARGUMENT};
  std::optional<AddressSpace> space = AddressSpace::create_nested(frames_, zero_);
  if (!space) return Failure{REPRISE_NO_MEMORY};
  std::optional<arch::VirtualCpu> cpu = arch::VirtualCpu::create(frames_, space->table());
  if (!cpu) return Failure{REPRISE_NO_MEMORY};
  Process* const process =
      table.add(frames_, std::move(*space), ProgramFacts{}, context_settings(request, settings),
                resources, Guest{std::move(*cpu), request.monitor});
  if (process == nullptr) return Failure{REPRISE_NO_MEMORY};
  return process;
}

Result<Process*, reprise_error> Loader::start(ProcessTable& table, const ProgramRequest& request,
                                              std::span<const char> strings,
                                              const KernelSettings& settings,
                                              const ContextResources& resources) const {
  const auto parts = parts_of(request);
  if (!parts) return Failure{parts.error()};
  if (table.full()) return Failure{REPRISE_BAD_ARGUMENT};
  reprise_start start{};
  start.abi_version = REPRISE_ABI_VERSION;
  start.process = table.next_number();
  start.argument_count = request.argument_count;
  start.environment_count = request.environment_count;
  start.stream_server = request.stream_server;
  start.stream_rights = request.stream_rights;
  std::optional<LoadedSpace> loaded = load(parts.value(), start, strings);
  if (!loaded) return Failure{REPRISE_NO_MEMORY};
  const ProgramFacts program{.file = parts.value().file, .grants = parts.value().grants};
  Process* const process = table.add(frames_, std::move(loaded->space), program,
                                     context_settings(request, settings), resources);
  if (process == nullptr) return Failure{REPRISE_NO_MEMORY};
  arch::connect_interrupts(program.grants.lines());
  Gate{process->context()}.first_instruction(loaded->entry, loaded->start_block);
  return process;
}

}  // namespace reprise
