// What the boot loader handed over, read once (multiboot2.cpp) and kept.
#include <cstdint>

#include "arch/frame_memory.hpp"
#include "arch/machine.hpp"
#include "arch/x86_64/bytes.hpp"
#include "arch/x86_64/multiboot2.hpp"

extern "C" const char image_physical_start[], image_physical_end[];  // boot/kernel.ld

namespace arch {
namespace {

constinit BootStorage storage{};
constexpr std::size_t largest_blob = 1 << 20;

MemoryRange image_range() {
  const auto start = reinterpret_cast<std::uint64_t>(&image_physical_start);
  return {reprise::PhysAddr{start}, reinterpret_cast<std::uint64_t>(&image_physical_end) - start};
}

[[noreturn]] void refuse(std::string_view problem) {
  write_console("[reprise] The boot loader's information cannot be used: ");
  write_console(problem);
  write_console(". Boot the kernel by GRUB 2 with `multiboot2`.\n");
  write_console("reprise: error code=machine-unfit missing=boot-information\n");
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace

const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address) {
  if (magic != multiboot2_magic) refuse("not a Multiboot2 loader");
  const reprise::PhysAddr start{info_address};
  const auto size = read_number<std::uint32_t>(physical_bytes(start, 8), 0);
  if (!size || *size < 16 || *size > largest_blob) refuse("its size makes no sense");
  const auto problem =
      parse_boot_info(physical_bytes(start, *size), start, image_range(), storage);
  if (problem) refuse(*problem);
  return storage.info;
}

}  // namespace arch
