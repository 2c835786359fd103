// Switches on the extended state that ring 3 may use (Intel SDM Vol. 1 §13.2, §13.5). With XSAVE
// that is what the CPU has of x87, SSE, AVX and AVX-512. Without XSAVE it is x87 and SSE, by
// FXSAVE. Protection keys stay off (CR4.PKE), so a page's rights stand in its table entry alone.
#include "arch/extended_state.hpp"

#include "arch/user_state.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/features.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint32_t xsave_leaf = 0x0d;
constexpr std::uint32_t has_xgetbv_1 = 1 << 2;  // subleaf 1, EAX
constexpr unsigned avx_component = 2, opmask_component = 5;
constexpr std::size_t vector_block = 64;  // bytes; sizes for VectorOperations are multiples of it

void enable_components(std::uint64_t components) {
  write_xcr0(components);
  board.extended_state.components = components;
  const std::size_t bytes = cpuid(xsave_leaf, 0).ebx;  // of what is enabled now
  board.extended_state.words = (bytes + vector_block - 1) / vector_block * (vector_block / 8);
}

// XCR0 says which registers exist, CPUID which instructions work on them.
const VectorOperations& widest_vectors() {
  const std::uint64_t components = board.extended_state.components;
  const bool avx512 = (components & Xcr0::Avx512) == Xcr0::Avx512 && has(feature::avx512f);
  if (avx512) return avx512_operations;
  const bool avx2 = (components & Xcr0::Avx) != 0 && has(feature::avx2);
  return avx2 ? avx2_operations : sse2_operations;
}

// Behind AVX, in Intel's layout: where components lie that the kernel does not enable.
ExtendedState::Place gap_of(const ExtendedState& state) {
  const auto [first, count] = state.places[avx_component];
  const std::size_t begin = first + count;
  const bool avx512 = (state.components & Xcr0::Avx512) != 0;
  const std::size_t end = avx512 ? state.places[opmask_component].first : state.words;
  return {begin, end > begin ? end - begin : 0};
}

void start_xsave() {
  write_cr4(read_cr4() | Cr4::Osxsave);
  board.extended_state.tells_use = (cpuid(xsave_leaf, 1).eax & has_xgetbv_1) != 0;
  const std::uint64_t offered = cpuid(xsave_leaf, 0).eax, basic = Xcr0::X87 | Xcr0::Sse;
  if ((offered & Xcr0::Avx) == 0) return enable_components(basic);
  const bool avx512 = (offered & Xcr0::Avx512) == Xcr0::Avx512;
  enable_components(basic | Xcr0::Avx | (avx512 ? Xcr0::Avx512 : 0));
  // A layout with gaps might not fit. No known CPU has one.
  if (board.extended_state.words > extended_words) enable_components(basic | Xcr0::Avx);
  for (std::uint32_t i = 2; i < board.extended_state.places.size(); ++i) {
    const CpuidResult leaf = cpuid(xsave_leaf, i);
    board.extended_state.places[i] = {leaf.ebx / 8, leaf.eax / 8};
  }
  board.extended_state.gap = gap_of(board.extended_state);
}

}  // namespace

// Of x87 that is what AMD's CPUs and QEMU leave out: the addresses and opcode of the last
// instruction, and the upper 48 bits of each register. XSAVE keeps what it finds in the header.
void x86::clear_leftovers(std::span<std::uint64_t> image, const ExtendedState& layout) {
  std::uint64_t* const words = image.data();
#pragma GCC unroll 3
  for (std::size_t i = 0; i < mxcsr_word; ++i) clear_word(words[i]);
#pragma GCC unroll 8
  for (std::size_t i = x87_word; i < xmm_word; i += 2) clear_word(words[i + 1]);
#pragma GCC unroll 20
  for (std::size_t i = xmm_end; i < fxsave_words; ++i) clear_word(words[i]);
  if (layout.components == 0) return;
#pragma GCC unroll 8
  for (std::size_t i = header_word; i < header_word + header_words; ++i) clear_word(words[i]);
  if (layout.gap.count != 0) rep_stosq(&words[layout.gap.first], 0, layout.gap.count);
}

// Intel SDM Vol. 1 §13.6. MXCSR is kept as it is: XSAVE and XRSTOR handle it whether or not
// XSTATE_BV has SSE (§13.7, §13.8).
void x86::make_canonical(std::span<std::uint64_t> image, const ExtendedState& layout) {
  const auto clear = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) image[i] = 0;
  };
  const std::uint64_t initial = layout.components & ~image[header_word];
  image[header_word] = layout.components;
  if (initial == 0) return;
  if ((initial & Xcr0::X87) != 0) {
    clear(0, mxcsr_word);
    clear(x87_word, xmm_word);
    image[control_word] = initial_control;
  }
  if ((initial & Xcr0::Sse) != 0) clear(xmm_word, xmm_end);
  for (unsigned i = 2; i < layout.places.size(); ++i) {
    const auto [first, count] = layout.places[i];
    if ((initial & bit(i)) != 0) clear(first, first + count);
  }
}

void start_extended_state() {
  write_cr0((read_cr0() & ~(Cr0::Em | Cr0::Ts)) | Cr0::Mp | Cr0::Ne);
  write_cr4(read_cr4() | Cr4::Osfxsr | Cr4::Osxmmexcpt);
  if (has(feature::xsave)) start_xsave();
  board.vector_operations = &widest_vectors();

  alignas(64) std::uint64_t image[fxsave_words]{};
  fninit();
  fxsave64(image);
  const std::uint64_t mask = image[mxcsr_word] >> 32;
  if (mask != 0)
    board.extended_state.mxcsr_mask = mask;  // 0: the default, Intel SDM Vol. 1 §11.6.6
}

}  // namespace arch
