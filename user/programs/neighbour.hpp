// What a neighbour fills its memory with, for those that must never see it: the upper half of each
// word says whose it is, the lower half which.
#pragma once

#include <cstdint>

inline constexpr std::uint64_t neighbour_word = 0x5ec2e7ed00000000;
inline constexpr std::uint64_t neighbour_mask = 0xffffffff00000000;
