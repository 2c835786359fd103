// avx [ROUNDS]: sums in vectors of four doubles (AVX), in registers only. Each of ROUNDS (4) adds
// the squares of 200,000 numbers. Every value is an integer that a double holds exactly, so the sum
// is checked against the formula.
#include "user/lib/checks.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

using Vector = double __attribute__((vector_size(32)));

constexpr std::uint64_t lanes = 4;
constexpr std::uint64_t steps = 50'000;  // the sum stays below 2^53

bool has_avx() {
  constexpr std::uint32_t osxsave_and_avx = 1u << 27 | 1u << 28;  // CPUID 1 ECX
  constexpr std::uint64_t sse_and_avx_state = 0x6;                // XCR0
  if ((user::cpuid(1).ecx & osxsave_and_avx) != osxsave_and_avx) return false;
  return (user::enabled_state() & sse_and_avx_state) == sse_and_avx_state;
}

// Of the numbers from `first` on. A function of its own is the only code here that needs AVX.
__attribute__((target("avx"), noinline)) double sum_of_squares(double first) {
  Vector numbers{first, first + 1, first + 2, first + 3}, sums{};
  for (std::uint64_t i = 0; i < steps; ++i) {
    sums += numbers * numbers;
    numbers += static_cast<double>(lanes);
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

// 1^2 + 2^2 + ... + count^2.
constexpr std::uint64_t by_formula(std::uint64_t count) {
  return count * (count + 1) * (2 * count + 1) / 6;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 4);
  REPRISE_CHECK(has_avx());
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // Each round begins elsewhere: else the compiler would do one for all.
    const std::uint64_t expected = by_formula(round + steps * lanes) - by_formula(round);
    REPRISE_CHECK(sum_of_squares(static_cast<double>(round + 1)) == static_cast<double>(expected));
  }
  user::print("avx: rounds=", rounds, " sums found\n");
  return 0;
}
