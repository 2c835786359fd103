// The memory functions of C (runtime.asm), which a freestanding compiler need not declare, and
// CPUID.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
void* memcpy(void* to, const void* from, std::size_t bytes);
void* memmove(void* to, const void* from, std::size_t bytes);
int memcmp(const void* left, const void* right, std::size_t bytes);
void* memset(void* to, int value, std::size_t bytes);
void read_cpuid(std::uint32_t leaf, std::uint32_t subleaf, std::uint32_t* out);
}
