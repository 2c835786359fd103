// What the boot loader left in memory for init: texts, framebuffer, firmware tables (Multiboot2
// specification 2.0 §3.6). The kernel has read the same tags for what it needs itself, the memory
// map and where the modules lie (arch/x86_64/multiboot2.hpp), and has refused a blob whose tags do
// not fit into it. Here, too, every size is checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/init.hpp"

namespace reprise {

struct BootModule {
  std::string_view string;  // what stands behind the file name in `module2 FILE STRING`
  std::uint64_t bytes;
};

struct Framebuffer {
  std::uint64_t address, pitch, width, height;  // pitch in bytes, size in pixels
  std::uint64_t bits;                           // a pixel; 0: there is none
  std::array<std::uint64_t, 3> colours;         // bit positions of red, green, blue
};

struct BootFacts {
  std::string_view command_line;
  Framebuffer framebuffer{};
  std::uint64_t acpi_root = 0;  // physical address of the loader's copy of the RSDP; 0: none
  std::array<BootModule, most_modules> module_table{};
  std::size_t module_count = 0;

  [[nodiscard]] std::span<const BootModule> modules() const {  // numbered as the kernel does
    return std::span{module_table}.first(module_count);
  }
};

// The texts view the blob, which lies at the physical `address`. Reading stops at the first tag
// that does not fit into the blob; the tags before it count.
[[nodiscard]] BootFacts parse_boot_facts(std::span<const std::byte> blob, std::uint64_t address);

}  // namespace reprise
