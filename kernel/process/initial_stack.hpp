// The first stack of a program (System V ABI, AMD64 supplement §3.4.1): argc, argv, environment
// and auxiliary vector, and above them the strings they point to.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/reprise.h"
#include "kernel/base/address.hpp"
#include "kernel/base/result.hpp"
#include "kernel/memory/address_space.hpp"
#include "kernel/parse/elf.hpp"

namespace reprise {

struct InitialStack {
  UserAddr stack_pointer;  // 16-byte aligned, at argc
  UserAddr start_block;    // struct reprise_start
};

// Writes at most `max_initial_stack` bytes below stack_high; the stack's pages must be mapped.
inline constexpr std::uint64_t max_initial_stack = 64 << 10;

[[nodiscard]] Result<InitialStack, MemoryError> build_initial_stack(
    AddressSpace& space, std::span<const std::string_view> arguments,
    std::span<const std::string_view> environment, const ElfImage& image,
    const reprise_start& start);

}  // namespace reprise
