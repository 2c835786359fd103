// Physical memory as the kernel sees it: all usable memory is mapped at one distance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/base/address.hpp"

namespace arch {

using FrameWords = std::span<std::uint64_t, reprise::words_per_page>;

[[nodiscard]] FrameWords frame_words(reprise::FrameNumber frame);
[[nodiscard]] std::span<std::byte> physical_bytes(reprise::PhysAddr start, std::size_t size);

}  // namespace arch
