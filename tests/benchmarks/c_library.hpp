// The C library's functions that the kernel's are measured against. The compiler must not see what
// is called: it would put its own code there.
#pragma once

#include <cstddef>
#include <cstring>

namespace benchmarks {

inline void* (*volatile c_memcpy)(void*, const void*, std::size_t) = &std::memcpy;
inline int (*volatile c_memcmp)(const void*, const void*, std::size_t) = &std::memcmp;
inline const void* (*volatile c_memchr)(const void*, int, std::size_t) = &std::memchr;

}  // namespace benchmarks
