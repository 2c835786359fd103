#include "arch/entropy.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

namespace {

// Intel SDM Vol. 1 §7.3.17: ten failures in a row do not happen on a sound CPU.
bool draw(bool (*instruction)(std::uint64_t&), std::uint64_t& value) {
  for (int i = 0; i < 16; ++i) {
    if (instruction(value)) return true;
  }
  return false;
}

// One multiply-xorshift round: spreads a time stamp's few changing bits over the word.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 31)) * 0x7fb5d329728ea185;
  value = (value ^ (value >> 27)) * 0x81dadef4bc2dd44d;
  return value ^ (value >> 33);
}

}  // namespace

std::uint64_t entropy() {
  std::uint64_t value;
  if (has(feature::rdseed) && draw(rdseed, value)) return value;
  if (has(feature::rdrand) && draw(rdrand, value)) return value;
  ++board.entropy_drawn;
  return mix(rdtsc() + mix(board.entropy_drawn));
}

}  // namespace arch
