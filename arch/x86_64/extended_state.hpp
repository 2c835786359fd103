// Which extended state this machine has, and how it is saved. Boot finds it once and keeps it in
// the board. user_state.cpp saves and restores by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace arch::x86 {

// The legacy region and the header of an XSAVE image, in 64-bit words (Intel SDM Vol. 1 §13.4).
inline constexpr std::size_t fxsave_words = 512 / 8;
inline constexpr std::size_t control_word = 0;    // FCW in bits 15:0
inline constexpr std::size_t mxcsr_word = 3;      // MXCSR, MXCSR_MASK
inline constexpr std::size_t x87_word = 32 / 8;   // ST0, two words each
inline constexpr std::size_t xmm_word = 160 / 8;  // XMM0, two words each
inline constexpr std::size_t xmm_end = 416 / 8;
inline constexpr std::size_t header_word = 512 / 8;  // XSTATE_BV, then XCOMP_BV and reserved
inline constexpr std::size_t header_words = 64 / 8;
inline constexpr std::uint64_t initial_control = 0x37f;
inline constexpr std::uint64_t initial_mxcsr = 0x1f80;

struct ExtendedState {
  std::uint64_t components = 0;       // as in XCR0; 0: FXSAVE and FXRSTOR are all there is
  bool tells_use = false;             // XGETBV with ECX = 1 says which components are in use
  std::size_t words = fxsave_words;   // size of the image
  std::uint64_t mxcsr_mask = 0xffbf;  // bits of MXCSR that may be set
  // Where the components beyond the legacy region lie, in words, by their number in XCR0. AVX (2)
  // is the upper halves of YMM0..15, two words each.
  struct Place {
    std::size_t first = 0, count = 0;
  };
  std::array<Place, 10> places{};
  Place gap;  // words between the components, which belong to none
};

// Before XSAVE: zero in all that it may leave out of an image although it counts the component as
// in use, and in all that belongs to no component.
void clear_leftovers(std::span<std::uint64_t> image, const ExtendedState& layout);

// Makes an image that XSAVE has stored depend on register values alone. XSTATE_BV may say that a
// component is in its initial state. Then the initial value is stored, and XSTATE_BV counts the
// component as present.
void make_canonical(std::span<std::uint64_t> image, const ExtendedState& layout);

}  // namespace arch::x86
