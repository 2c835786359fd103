// compute [ROUNDS]: computes without memory or calls. Its digest depends on every round.
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 1'000'000);
  std::uint64_t state = 0x9e3779b97f4a7c15;
  std::uint64_t digest = 0xcbf29ce484222325;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    state ^= state << 13;  // xorshift64: Marsaglia, "Xorshift RNGs", 2003
    state ^= state >> 7;
    state ^= state << 17;
    digest = (digest ^ state) * 0x100000001b3;
  }
  user::print("compute: rounds=", rounds, " digest=", user::Hex{digest}, "\n");
  return 0;
}
