// See linux_image.hpp.
#include "user/monitor/boot/linux_image.hpp"

#include <array>
#include <cstring>

#include "user/loader/bytes.hpp"

namespace monitor {
namespace {

using reprise::Failure;
using reprise::read_as;
using reprise::Result;

// Offsets in the file, and the same in boot_params ("The Real-Mode Kernel Header").
namespace field {
constexpr std::uint64_t setup_sectors = 0x1f1, header_jump = 0x201, magic = 0x202, version = 0x206,
                        loader_type = 0x210, load_flags = 0x211, code32_start = 0x214,
                        initrd_address = 0x218, initrd_bytes = 0x21c, command_line = 0x228,
                        initrd_highest = 0x22c, command_line_bytes = 0x238,
                        preferred_address = 0x258, memory_needed = 0x260, header_start = 0x1f1;
// Only in boot_params ("The Zero Page").
constexpr std::uint64_t extended_kib = 0x02, alternative_kib = 0x1e0, map_entries = 0x1e8,
                        map = 0x2d0;
}  // namespace field

constexpr std::uint32_t header_magic = 0x53726448;  // "HdrS"
constexpr std::uint16_t least_version = 0x20a;
constexpr std::uint8_t loads_high = 1, unknown_loader = 0xff;
constexpr std::uint64_t sector = 512, page = 4096, mib = 1 << 20, kib = 1024;

// Where the small parts lie in the guest's first 640 KiB.
constexpr std::uint64_t parameters = 0x90000, command_line_place = 0x91000;
constexpr std::uint64_t command_line_room = 0x2000;
constexpr std::uint64_t base_memory_end = 0x9fc00, firmware_start = 0xf0000;

// The part of the header that loading needs.
struct Header {
  Bytes raw;   // as it goes into boot_params
  Bytes code;  // the protected-mode part
  std::uint64_t address = 0, needed = 0;
  std::uint64_t initrd_highest = 0, command_line_bytes = 0;
};

struct MapEntry {  // of the memory map ("E820")
  std::uint64_t start, bytes;
  std::uint32_t kind;
} __attribute__((packed));
constexpr std::uint32_t usable = 1, reserved = 2;

template <class T>
T get(Bytes bytes, std::uint64_t offset) {
  return read_as<T>(bytes, offset).value_or(0);
}

Result<Header, LoadError> read_header(Bytes kernel) {
  if (!LinuxImage::is_one(kernel)) return Failure{LoadError::NotAKernel};
  if (get<std::uint16_t>(kernel, field::version) < least_version)
    return Failure{LoadError::OldProtocol};
  if ((get<std::uint8_t>(kernel, field::load_flags) & loads_high) == 0)
    return Failure{LoadError::LowKernel};

  constexpr std::uint64_t sectors_of_zero = 4;
  const std::uint64_t given = get<std::uint8_t>(kernel, field::setup_sectors);
  const std::uint64_t setup = ((given == 0 ? sectors_of_zero : given) + 1) * sector;
  const std::uint64_t header_end = field::magic + get<std::uint8_t>(kernel, field::header_jump);
  const std::uint64_t header_bytes = header_end - field::header_start;
  const bool has_all_fields = header_end >= field::memory_needed + sizeof(std::uint32_t);
  const auto raw = reprise::slice(kernel, field::header_start, header_bytes);
  if (setup >= kernel.size() || !raw || !has_all_fields) return Failure{LoadError::BrokenKernel};
  return Header{.raw = *raw,
                .code = kernel.subspan(setup),
                .address = get<std::uint64_t>(kernel, field::preferred_address),
                .needed = get<std::uint32_t>(kernel, field::memory_needed),
                .initrd_highest = get<std::uint32_t>(kernel, field::initrd_highest),
                .command_line_bytes = get<std::uint32_t>(kernel, field::command_line_bytes)};
}

// A kernel uses memory behind its image before it reads the memory map. The end of that memory;
// nothing: it does not fit.
std::optional<std::uint64_t> kernel_end(const Header& header, std::uint64_t memory_bytes) {
  const std::uint64_t used =
      header.needed > header.code.size() ? header.needed : header.code.size();
  const bool fits = header.address >= mib && header.address <= memory_bytes &&
                    used <= memory_bytes - header.address;
  if (!fits) return std::nullopt;
  return header.address + used;
}

// As high as the kernel allows, at the start of a page; nothing: it does not fit.
std::optional<std::uint64_t> initrd_place(const Header& header, const BootImage& image,
                                          std::uint64_t lowest) {
  const std::uint64_t behind_highest = header.initrd_highest + 1;
  const std::uint64_t end =
      behind_highest < image.memory_bytes ? behind_highest : image.memory_bytes;
  if (image.initrd.size() > end) return std::nullopt;
  const std::uint64_t start = (end - image.initrd.size()) & ~(page - 1);
  return start >= lowest ? std::optional{start} : std::nullopt;
}

// The zero page, filled in member by member.
class Parameters {
public:
  explicit Parameters(Bytes header) {
    std::memcpy(bytes_.data() + field::header_start, header.data(), header.size());
  }

  template <class T>
  void set(std::uint64_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }

  void set_memory(std::uint64_t memory_bytes) {
    const std::array<MapEntry, 3> entries{{
        {.start = 0, .bytes = base_memory_end, .kind = usable},
        {.start = firmware_start, .bytes = mib - firmware_start, .kind = reserved},
        {.start = mib, .bytes = memory_bytes - mib, .kind = usable},
    }};
    std::memcpy(bytes_.data() + field::map, entries.data(), sizeof entries);
    set(field::map_entries, static_cast<std::uint8_t>(entries.size()));
    constexpr std::uint64_t most = 0xffff;
    const std::uint64_t above = (memory_bytes - mib) / kib;
    set(field::extended_kib, static_cast<std::uint16_t>(above < most ? above : most));
    set(field::alternative_kib, static_cast<std::uint32_t>(above));
  }

  [[nodiscard]] const void* data() const { return bytes_.data(); }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

private:
  std::array<std::uint8_t, page> bytes_{};
};

bool write_parts(const Header& header, const BootImage& image, std::uint64_t initrd,
                 GuestMemory& memory) {
  Parameters zero_page{header.raw};
  zero_page.set(field::loader_type, unknown_loader);
  zero_page.set(field::code32_start, static_cast<std::uint32_t>(header.address));
  zero_page.set(field::command_line, static_cast<std::uint32_t>(command_line_place));
  zero_page.set(field::initrd_address, static_cast<std::uint32_t>(initrd));
  zero_page.set(field::initrd_bytes, static_cast<std::uint32_t>(image.initrd.size()));
  zero_page.set_memory(image.memory_bytes);
  const std::string_view line = image.command_line;
  // The memory is zero, so the command line's end is there already.
  return memory.write(parameters, zero_page.data(), zero_page.size()) &&
         memory.write(command_line_place, line.data(), line.size()) &&
         memory.write(header.address, header.code.data(), header.code.size()) &&
         memory.write(initrd, image.initrd.data(), image.initrd.size()) &&
         write_segment_table(memory);
}

}  // namespace

bool LinuxImage::is_one(Bytes kernel) {
  return get<std::uint32_t>(kernel, field::magic) == header_magic;
}

Result<reprise_guest_state, LoadError> LinuxImage::load(const BootImage& image,
                                                        GuestMemory& memory) {
  const auto header = read_header(image.kernel);
  if (!header) return Failure{header.error()};
  const std::uint64_t line = image.command_line.size();
  if (line > header.value().command_line_bytes || line >= command_line_room)
    return Failure{LoadError::LongCommandLine};
  const auto end = kernel_end(header.value(), image.memory_bytes);
  if (!end) return Failure{LoadError::KernelTooLarge};
  std::uint64_t initrd = 0;
  if (!image.initrd.empty()) {
    const auto place = initrd_place(header.value(), image, *end);
    if (!place) return Failure{LoadError::InitrdTooLarge};
    initrd = *place;
  }
  if (!write_parts(header.value(), image, initrd, memory)) return Failure{LoadError::NoMemory};
  reprise_guest_state state = flat_state(header.value().address);
  state.rsi = parameters;
  return state;
}

}  // namespace monitor
