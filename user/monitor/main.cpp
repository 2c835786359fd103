// monitor [disk=FILE] MEMORY_MIB KERNEL [INITRD|- [WORD...]]: runs a guest, a virtual machine whose
// every processing element is run twice (docs/guests.md). FILE, KERNEL and INITRD are files of the
// boot's archive; - stands for no initrd. The words are the kernel's command line. Needs
// grant=guest.
//
// Read next: session.hpp, the loop; computer.hpp, the devices; boot/, how a guest begins.
#include <array>

#include "user/lib/drivers.hpp"
#include "user/lib/start.hpp"
#include "user/monitor/boot/test_image.hpp"
#include "user/monitor/computer.hpp"
#include "user/monitor/files.hpp"
#include "user/monitor/real_guest.hpp"
#include "user/monitor/real_outside.hpp"
#include "user/monitor/report.hpp"

namespace {

using namespace monitor;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t least_mib = 2, most_mib = 3072;

class CommandLine {
public:
  void add(std::string_view word) {
    if (used_ != 0) append(' ');
    for (const char c : word) append(c);
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), used_}; }

private:
  // What is too long for the buffer is too long for every kernel, too.
  void append(char c) {
    if (used_ == text_.size()) return;
    text_[used_] = c;
    ++used_;
  }
  std::array<char, 16'384> text_{};
  std::size_t used_ = 0;
};

std::optional<Bytes> file_named(std::string_view name) {
  const reprise_start& start = user::start_information();
  const Bytes archive{reinterpret_cast<const std::byte*>(start.archive_address),
                      start.archive_bytes};
  const auto file = find_file(archive, name);
  if (!file) say("the boot's archive has no file ", name);
  return file;
}

// A disk's copies and, behind them, their marks: memory of the monitor's own, all zero, which costs
// only what is written.
std::optional<DiskImage> find_disk(std::string_view name) {
  const auto file = file_named(name);
  if (!file) return std::nullopt;
  const std::uint64_t blocks = DiskImage::blocks_of(file->size());
  const std::uint64_t copy_bytes = blocks * DiskImage::block_bytes;
  const std::uint64_t start = user::start_information().map_low;
  constexpr unsigned rights = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
  const std::int64_t mapped =
      user::map(start, reprise::round_up(copy_bytes + blocks), rights, REPRISE_MAP_SPARSE);
  if (blocks == 0 || mapped != 0) {
    say("there is no memory for its disk, or the disk is empty");
    return std::nullopt;
  }
  return DiskImage{*file,
                   {reinterpret_cast<std::byte*>(start), copy_bytes},
                   {reinterpret_cast<std::uint8_t*>(start + copy_bytes), blocks}};
}

// Files and memory of the guest; nothing: a line says what is wrong.
std::optional<BootImage> find_parts(int argc, char** argv, CommandLine& line) {
  const std::uint64_t memory = user::number_argument(argc, argv, 1, 0);
  if (memory < least_mib || memory > most_mib) {
    say("a guest has between ", least_mib, " and ", most_mib, " MiB of memory, not ", memory);
    return std::nullopt;
  }
  const auto kernel = file_named(user::text_argument(argc, argv, 2));
  if (!kernel) return std::nullopt;
  BootImage image{
      .kernel = *kernel, .initrd = {}, .command_line = {}, .memory_bytes = memory * mib};
  const std::string_view initrd = user::text_argument(argc, argv, 3);
  if (!initrd.empty() && initrd != "-") {
    const auto file = file_named(initrd);
    if (!file) return std::nullopt;
    image.initrd = *file;
  }
  for (int i = 4; i < argc; ++i) line.add(argv[i]);
  image.command_line = line.text();
  return image;
}

bool set_up(const BootImage& image, RealGuest& guest) {
  if (!guest.make()) {
    say("this machine cannot run guests, or grant=guest is missing");
    return false;
  }
  if (!guest.give_memory(image.memory_bytes)) {
    say("there are no ", image.memory_bytes / mib, " MiB of memory left for it");
    return false;
  }
  const auto state = load_image(image, guest);
  if (!state) {
    say("its kernel cannot be loaded: ", text_of(state.error()));
    return false;
  }
  if (guest.set_state(state.value()) == 0) return true;
  say("the kernel refuses the state that it begins with");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view disk_argument = "disk=";
  std::optional<DiskImage> image_of_disk;
  std::string_view first = user::text_argument(argc, argv, 1);
  if (first.starts_with(disk_argument)) {
    first.remove_prefix(disk_argument.size());
    image_of_disk = find_disk(first);
    if (!image_of_disk) return refused_status;
    --argc;
    ++argv;
  }
  CommandLine line;
  const auto image = find_parts(argc, argv, line);
  if (!image) return refused_status;
  RealGuest guest;
  if (!set_up(*image, guest)) return refused_status;

  Streams streams;
  RealOutside outside{streams};
  ConsoleOutput output{streams};
  const ComputerFacts facts{.wall_seconds = user::wall_clock() / nanoseconds_per_second,
                            .memory_bytes = image->memory_bytes};
  std::optional<VirtioDisk> disk;
  if (image_of_disk) disk.emplace(*image_of_disk, guest);
  Computer computer{facts, output, outside, disk ? &*disk : nullptr};
  Session session{guest, outside, computer, output};
  return report_end(session.run());
}
