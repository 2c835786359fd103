// Which ports and MSRs a guest reaches by itself: two bit maps that the CPU reads (AMD APM Vol. 2
// §15.10.1, §15.11). A set bit makes the access an exit. All ports do. Of the MSRs, those that the
// CPU exchanges with the guest are the guest's own.
#include "arch/x86_64/guest_maps.hpp"

#include <array>

#include "arch/x86_64/registers.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch::x86 {
namespace {

using IoMap = std::array<std::uint8_t, 3 * reprise::page_size>;
using MsrMap = std::array<std::uint8_t, 2 * reprise::page_size>;

// Two bits an MSR, for reading and writing: from 0 on in the first 2 KiB, from C0000000h on in the
// second, from C0010000h on in the third.
constexpr void pass_through(MsrMap& map, Msr msr) {
  constexpr std::uint32_t extended = 0xc0000000, block_bytes = 2048;
  const auto number = static_cast<std::uint32_t>(msr);
  const std::uint32_t block = number >= extended ? 1 : 0, index = number & 0x1fff;
  std::uint8_t& byte = map.at(block * block_bytes + index / 4);
  byte = static_cast<std::uint8_t>(byte & ~(3u << 2 * (index % 4)));
}

constexpr MsrMap make_msr_map() {
  MsrMap map{};
  map.fill(0xff);
  for (const Msr msr : {Msr::Star, Msr::Lstar, Msr::Cstar, Msr::Fmask, Msr::FsBase, Msr::GsBase,
                        Msr::KernelGsBase, Msr::SysenterCs, Msr::SysenterEsp, Msr::SysenterEip}) {
    pass_through(map, msr);
  }
  return map;
}

constexpr IoMap make_io_map() {
  IoMap map{};
  map.fill(0xff);
  return map;
}

alignas(reprise::page_size) constexpr MsrMap msr_bits = make_msr_map();
alignas(reprise::page_size) constexpr IoMap io_bits = make_io_map();

// Where the kernel's image lies (boot/kernel.ld).
std::uint64_t physical(const void* constant) {
  return reinterpret_cast<std::uint64_t>(constant) - reprise::kernel_base;
}

}  // namespace

std::uint64_t msr_map() { return physical(msr_bits.data()); }
std::uint64_t io_map() { return physical(io_bits.data()); }

}  // namespace arch::x86
