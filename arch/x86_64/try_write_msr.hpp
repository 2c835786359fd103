// traps.asm: a WRMSR that may fault, for registers that only CPUID could deny.
#pragma once

#include <cstdint>

#include "arch/x86_64/registers.hpp"

extern "C" bool try_write_msr(arch::x86::Msr msr, std::uint64_t value);  // false: #GP
