// The first stack of a program (System V ABI, AMD64 supplement §3.4.1): argc, argv, environment and
// auxiliary vector. The kernel has put their strings there.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"
#include "user/loader/elf.hpp"

namespace loader {

// Writes below start.strings and the start block, whichever is lower; returns the stack pointer,
// 16-byte aligned, at argc.
std::uint64_t build_initial_stack(const reprise_start& start, const reprise::ElfImage& image);

}  // namespace loader
