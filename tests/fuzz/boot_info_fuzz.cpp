// Whatever the boot loader left: no access outside it by either of its readers; what the kernel
// accepts has the same modules for init; no page that is taken is free, and none is free twice.
#include <algorithm>
#include <vector>

#include "arch/x86_64/multiboot2.hpp"
#include "tests/fuzz/require.hpp"
#include "user/init/boot_info.hpp"

using namespace reprise;

namespace {

constexpr arch::MemoryRange image{PhysAddr{0x100000}, 0x45678};
arch::BootStorage storage;

bool lies_within(std::string_view text, const std::uint8_t* data, std::size_t size) {
  const auto* const begin = reinterpret_cast<const char*>(data);
  return text.empty() || (text.data() >= begin && text.data() + text.size() <= begin + size);
}

bool overlap(const arch::MemoryRange& a, const arch::MemoryRange& b) {
  return a.size != 0 && b.size != 0 && a.start.value() < b.start.value() + b.size &&
         b.start.value() < a.start.value() + a.size;
}

void check_free_memory(const arch::BootInfo& info) {
  std::vector<arch::MemoryRange> free(info.memory.begin(), info.memory.end());
  std::erase_if(free, [](const arch::MemoryRange& range) { return range.size == 0; });
  std::sort(free.begin(), free.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  REQUIRE(!free.empty());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < free.size(); ++i) {
    const arch::MemoryRange& range = free[i];
    bytes += range.size;
    REQUIRE(range.start.value() % page_size == 0 && range.size % page_size == 0);
    REQUIRE(range.start.value() >= 1 << 20 && range.start.value() + range.size <= 1ull << 52);
    REQUIRE(i == 0 || !overlap(free[i - 1], range));
    REQUIRE(!overlap(range, image) && !overlap(range, info.blob));
    for (const arch::MemoryRange& module : info.modules) REQUIRE(!overlap(range, module));
  }
  REQUIRE(bytes <= info.total_memory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t address = 0x200000;
  const auto blob = std::as_bytes(std::span{data, size});
  const BootFacts facts = parse_boot_facts(blob, address);
  REQUIRE(lies_within(facts.command_line, data, size));
  for (const BootModule& module : facts.modules()) REQUIRE(lies_within(module.string, data, size));
  REQUIRE(facts.acpi_root == 0 || facts.acpi_root - address <= size);
  const Framebuffer& f = facts.framebuffer;
  REQUIRE(f.bits == 0 || f.pitch >= f.width * (f.bits / 8));

  storage = {};
  if (!arch::parse_boot_info(blob, PhysAddr{address}, image, storage)) return 0;
  const arch::BootInfo& kernel = storage.info;
  REQUIRE(facts.modules().size() == kernel.modules.size());
  for (std::size_t i = 0; i < kernel.modules.size(); ++i) {
    REQUIRE(facts.modules()[i].bytes == kernel.modules[i].size);
    const bool first = !kernel.init || i <= *kernel.init;
    REQUIRE(!first || (facts.modules()[i].string == "init") == (kernel.init == i));
  }
  check_free_memory(kernel);
  return 0;
}
