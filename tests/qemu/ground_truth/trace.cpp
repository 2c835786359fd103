#include "tests/qemu/ground_truth/trace.hpp"

#include "arch/direct_map.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/extended_state.hpp"

extern "C" {
void store_sse(void* image);        // FXSAVE: x87, SSE, MXCSR
void store_upper_halves(void* to);  // of YMM0 to YMM15
}

namespace ground_truth {
namespace {

constexpr std::size_t fxsave_words = 52;  // up to XMM15
constexpr std::size_t upper_words = 32;

// Where the upper halves lie among a state's words; 0: there is no AVX.
std::size_t upper_halves(const arch::UserState& state) {
  const std::size_t above = arch::x86::board.extended_state.places[2].first;
  const std::size_t word = arch::general_words + above;
  return above != 0 && word + upper_words <= state.words().size() ? word : 0;
}

}  // namespace

Position position_of(const arch::UserState& state) {
  Hash hash;
  for (const std::uint64_t word : state.words().first(arch::general_words + fxsave_words)) {
    hash.add(word);
  }
  if (const std::size_t start = upper_halves(state); start != 0) {
    for (const std::uint64_t word : state.words().subspan(start, upper_words)) hash.add(word);
  }
  return {state[arch::Register::Rip], hash.value()};
}

void save_vectors(arch::UserState& state) {
  store_sse(state.extended.data());
  if (const std::size_t start = upper_halves(state); start != 0) {
    store_upper_halves(&state.words()[start]);
  }
}

bool Trace::allocate(reprise::FrameAllocator& frames) {
  constexpr std::size_t bytes = capacity * sizeof(Position);
  const auto first = frames.allocate_adjacent(reprise::round_up(bytes) >> reprise::page_shift);
  if (!first) return false;
  auto* const start = reinterpret_cast<Position*>(arch::frame_words(*first).data());
  positions_ = {start, capacity};
  return true;
}

}  // namespace ground_truth
