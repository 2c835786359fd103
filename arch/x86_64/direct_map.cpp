// Host tests put a fake memory in the place of this file.
#include "arch/direct_map.hpp"

#include "kernel/base/memory_map.hpp"

namespace arch {

FrameWords frame_words(reprise::FrameNumber frame) {
  const std::uint64_t address = reprise::direct_map_base + address_of(frame).value();
  return FrameWords{reinterpret_cast<std::uint64_t*>(address), reprise::words_per_page};
}

std::span<std::byte> physical_bytes(reprise::PhysAddr start, std::size_t size) {
  return {reinterpret_cast<std::byte*>(reprise::direct_map_base + start.value()), size};
}

}  // namespace arch
