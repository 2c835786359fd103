// Switches on the extended state that ring 3 may use: by XSAVE x87, SSE, AVX and AVX-512, whatever
// of it the CPU has, else x87 and SSE by FXSAVE (Intel SDM Vol. 1 §13.2, §13.5). Protection keys
// stay off (CR4.PKE): a page's rights stand in its table entry alone.
#include "arch/x86_64/extended_state.hpp"

#include "arch/machine.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

constinit ExtendedState x86::extended_state{};

namespace {

constexpr std::uint32_t xsave_leaf = 0x0d;

std::uint64_t wanted_components() {
  const CpuidResult leaf = cpuid(xsave_leaf, 0);
  const std::uint64_t offered = leaf.eax | static_cast<std::uint64_t>(leaf.edx) << 32;
  std::uint64_t wanted = Xcr0::X87::mask | Xcr0::Sse::mask;
  if ((offered & Xcr0::Avx::mask) != 0) {
    wanted |= Xcr0::Avx::mask;
    if ((offered & Xcr0::Avx512::mask) == Xcr0::Avx512::mask) wanted |= Xcr0::Avx512::mask;
  }
  return wanted;
}

// Size in words of the image of the components that are now enabled.
std::size_t enable_components(std::uint64_t components) {
  write_xcr0(components);
  return (cpuid(xsave_leaf, 0).ebx + 7) / 8;
}

void start_xsave() {
  write_cr4(read_cr4() | Cr4::Osxsave::mask);
  ExtendedState& state = extended_state;
  state.components = wanted_components();
  state.words = enable_components(state.components);
  if (state.words > extended_words) {  // a layout with gaps that no known CPU has
    state.components &= ~Xcr0::Avx512::mask;
    state.words = enable_components(state.components);
  }
  if ((state.components & Xcr0::Avx::mask) != 0) {
    state.ymm_word = cpuid(xsave_leaf, 2).ebx / 8;
  }
}

}  // namespace

void start_extended_state() {
  const std::uint64_t cr0 = read_cr0() & ~(Cr0::Em::mask | Cr0::Ts::mask);
  write_cr0(cr0 | Cr0::Mp::mask | Cr0::Ne::mask);
  write_cr4(read_cr4() | Cr4::Osfxsr::mask | Cr4::Osxmmexcpt::mask);
  const CpuidResult leaf1 = cpuid(1);
  if ((leaf1.ecx & Cpuid1Ecx::Xsave::mask) != 0) start_xsave();

  alignas(64) std::uint64_t image[fxsave_words]{};
  fninit();
  fxsave64(image);
  const std::uint64_t mask = image[mxcsr_word] >> 32;
  if (mask != 0) extended_state.mxcsr_mask = mask;  // 0: the default, Intel SDM Vol. 1 §11.6.6
  extended_state.base_instructions = (read_cr4() & Cr4::Fsgsbase::mask) != 0;
}

}  // namespace arch
