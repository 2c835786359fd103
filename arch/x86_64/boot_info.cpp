// What the boot loader handed over, read once and kept. multiboot2.cpp knows its form.
#include "arch/boot_info.hpp"

#include "arch/direct_map.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/multiboot2.hpp"
#include "kernel/base/memory_map.hpp"

extern "C" const char image_physical_start[], image_physical_end[];  // boot/kernel.ld

namespace arch {

using namespace x86;
using reprise::PhysAddr;

namespace {

[[noreturn]] void refuse(std::string_view problem) {
  write_emergency("[reprise] The boot loader's information cannot be used: ");
  write_emergency(problem);
  write_emergency(". Boot the kernel by GRUB 2 with `multiboot2`.\n");
  write_emergency("reprise: error code=machine-unfit missing=boot-information\n");
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace

const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address) {
  if (magic != multiboot2_magic) refuse("not a Multiboot2 loader");
  const PhysAddr start{info_address};
  const std::size_t size = value_at<std::uint32_t>(physical_bytes(start, 8), 0);
  if (size < 16 || size > reprise::most_boot_bytes) refuse("its size makes no sense");
  const auto image = reinterpret_cast<std::uint64_t>(image_physical_start);
  const auto image_end = reinterpret_cast<std::uint64_t>(image_physical_end);
  const auto parsed = parse_boot_info(physical_bytes(start, size), start,
                                      {PhysAddr{image}, image_end - image}, board.boot_info);
  if (!parsed) refuse(parsed.error());
  return board.boot_info.info;
}

}  // namespace arch
