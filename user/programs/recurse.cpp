// recurse [DEPTH]: recurses deeply. Each level keeps 256 bytes on the stack and checks them on the
// way back. The page budget ends processing elements on the way down and up.
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

[[gnu::noinline]] std::uint64_t descend(std::uint64_t depth) {
  volatile std::uint64_t kept[32];
  for (std::uint64_t i = 0; i < 32; ++i) kept[i] = depth * 32 + i;
  const std::uint64_t below = depth == 0 ? 0 : descend(depth - 1);
  std::uint64_t sum = below;
  for (std::uint64_t i = 0; i < 32; ++i) {
    REPRISE_CHECK(kept[i] == depth * 32 + i);
    sum += kept[i];
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t depth = user::number_argument(argc, argv, 1, 10'000);
  const std::uint64_t sum = descend(depth);
  const std::uint64_t values = (depth + 1) * 32;
  REPRISE_CHECK(sum == values * (values - 1) / 2);
  user::print("recurse: depth=", depth, " sum=", sum, "\n");
  return 0;
}
