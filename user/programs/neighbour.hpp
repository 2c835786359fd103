// The words that fill a neighbour's memory; other programs must never see them. The upper half of a
// word names the owner, the lower half numbers the word.
#pragma once

#include <cstdint>

inline constexpr std::uint64_t neighbour_word = 0x5ec2e7ed00000000;
inline constexpr std::uint64_t neighbour_mask = 0xffffffff00000000;
