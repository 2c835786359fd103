// Shared by the parts of `wild`.
#pragma once

#include <cstdint>

// Makes the call, which must be refused, and counts it. Ends the program when it was not.
void must_refuse(int line, std::uint64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                 std::uint64_t d, std::int64_t expected);

#define REFUSED(expected, number, ...) refused_at(__LINE__, -(expected), number, __VA_ARGS__)
inline void refused_at(int line, std::int64_t expected, std::uint64_t number, std::uint64_t a = 0,
                       std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0) {
  must_refuse(line, number, a, b, c, d, expected);
}

void check_wild_resume();
