// vectors [CALLS]: keeps values in x87, SSE, AVX and AVX-512 registers (those that the machine has)
// over CALLS (20) system calls each, and computes with them.
#include <array>

#include "user/lib/checks.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

extern "C" {
void hold_x87(const void* in, void* out, std::uint64_t calls);
void hold_sse(const void* in, void* out, std::uint64_t calls);
void hold_mxcsr(const void* in, void* out, std::uint64_t calls);
void hold_avx(const void* in, void* out, std::uint64_t calls);
void hold_upper_halves(const void* in, void* out, std::uint64_t calls);
void hold_initial(const void* in, void* out, std::uint64_t calls);
void alternate(const void* in, void* out, std::uint64_t rounds);
void hold_avx512(const void* in, void* out, std::uint64_t calls);
}

namespace {

using Hold = void (*)(const void* in, void* out, std::uint64_t calls);

constexpr std::size_t largest = 2048 + 7 * 2;  // bytes: all of AVX-512
alignas(64) constinit std::array<std::uint8_t, largest> in{};
alignas(64) constinit std::array<std::uint8_t, largest> out{};

void check_held(Hold hold, std::size_t bytes, std::uint64_t calls) {
  for (std::size_t i = 0; i < bytes; ++i) {
    in[i] = static_cast<std::uint8_t>(i * 37 + bytes);
    out[i] = 0;
  }
  hold(in.data(), out.data(), calls);
  for (std::size_t i = 0; i < bytes; ++i) REPRISE_CHECK(out[i] == in[i]);
}

void check_x87(std::uint64_t calls) {
  struct {
    double values[8];
    std::uint16_t control;
  } left{};
  const double right[8] = {1.5, -2.25, 3e300, -4e-300, 0.1, -0.0, 7.0, 8.125};
  hold_x87(right, &left, calls);
  for (int i = 0; i < 8; ++i) REPRISE_CHECK(left.values[i] == right[i]);
  REPRISE_CHECK((left.control & 0x0f3f) == 0x0f3f);
}

void check_upper_halves(std::uint64_t calls) {
  hold_upper_halves(in.data(), out.data(), calls);
  for (std::size_t i = 0; i < 512; ++i) {
    const std::size_t within = i % 32, half = i / 32 * 16 + within % 16;
    REPRISE_CHECK(out[i] == (within < 16 ? 0 : in[half]));
  }
}

// XSAVE may leave out what is in its initial state; it must come back as such.
void check_initial(std::uint64_t calls) {
  out.fill(0xee);
  hold_initial(in.data(), out.data(), calls);
  for (std::size_t i = 0; i < 512; ++i) REPRISE_CHECK(out[i] == 0);
  REPRISE_CHECK(out[512] == 0x7f && out[513] == 0x03);                 // FCW
  REPRISE_CHECK(out[516] == 0 && out[517] == 0);                       // FSW
  REPRISE_CHECK(out[520] == 0xff && out[521] == 0xff);                 // tags: all empty
  for (std::size_t i = 524; i < 532; ++i) REPRISE_CHECK(out[i] == 0);  // FIP
  alternate(in.data(), out.data(), calls + 1);
  for (std::size_t i = 0; i < 32; ++i) REPRISE_CHECK(out[i] == in[i]);
}

void check_mxcsr(std::uint64_t calls) {
  const std::uint32_t rounds_up = 0x5f80;
  std::uint32_t left = 0;
  hold_mxcsr(&rounds_up, &left, calls);
  REPRISE_CHECK(left == rounds_up);
}

// Exact in binary: the compiler's vector code must give the same result as the formula.
double sum_of_squares(std::uint64_t count) {
  double sum = 0;
  for (std::uint64_t i = 1; i <= count; ++i) sum += static_cast<double>(i) * static_cast<double>(i);
  return sum;
}

struct Available {
  bool avx = false;
  bool avx512 = false;
};

Available find_available() {
  constexpr std::uint32_t osxsave_and_avx = 1u << 27 | 1u << 28;  // CPUID 1 ECX
  constexpr std::uint32_t avx512f = 1u << 16;                     // CPUID 7 EBX
  Available found;
  if ((user::cpuid(1).ecx & osxsave_and_avx) != osxsave_and_avx) return found;
  const std::uint64_t enabled = user::enabled_state();
  found.avx = (enabled & 0x6) == 0x6;
  found.avx512 =
      (enabled & 0xe6) == 0xe6 && user::cpuid(0).eax >= 7 && (user::cpuid(7).ebx & avx512f) != 0;
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t calls = user::number_argument(argc, argv, 1, 20);
  const Available available = find_available();
  check_x87(calls);
  check_mxcsr(calls);
  check_held(hold_sse, 256, calls);
  if (available.avx) {
    check_held(hold_avx, 512, calls);
    check_upper_halves(calls);
    check_initial(calls);
  }
  if (available.avx512) check_held(hold_avx512, largest, calls);
  REPRISE_CHECK(sum_of_squares(1000) == 333833500.0);
  user::print("vectors: kept over ", calls, " calls: x87 mxcsr sse", available.avx ? " avx" : "",
              available.avx512 ? " avx512" : "", "\n");
  return 0;
}
