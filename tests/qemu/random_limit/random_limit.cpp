// The kernel, but the first run of each PE of a guest ends after a random time, which is at most
// the limit. So both runs meet at places that no limit of a fixed length would choose. Linked from
// the kernel's own objects, main.cpp among them; only arm_timer() is wrapped. For guest tests.
//
// `env.LIMITS=N` on the boot's command line says where the sequence begins, 0 if it is absent. So a
// boot can be repeated with other arguments.
#include <cstdint>
#include <string_view>

#include "arch/physical_memory.hpp"
#include "arch/timer.hpp"
#include "kernel/the_machine.hpp"
#include "tests/qemu/guest_in_first_run.hpp"

namespace random_limit {
namespace {

using namespace reprise;

constinit std::uint64_t state = 0;

constexpr std::uint64_t shortest = 300;  // nanoseconds

// The command line stands somewhere in what the boot loader left.
std::uint64_t seed() {
  constexpr std::string_view name = "env.LIMITS=";
  const auto blob = arch::firmware_memory(machine.boot->blob.start, machine.boot->blob.size);
  const std::string_view text{reinterpret_cast<const char*>(blob.data()), blob.size()};
  std::size_t at = 0;
  while (at < text.size() && !text.substr(at).starts_with(name)) ++at;
  std::uint64_t value = 0;
  for (at += name.size(); at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  return value;
}

std::uint64_t next_up_to(std::uint64_t longest) {
  if (state == 0) state = (seed() + 1) * 0x9e3779b97f4a7c15 | 1;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return shortest + state % (longest - shortest);
}

}  // namespace
}  // namespace random_limit

// Takes the place of arch::arm_timer() (the linker's --wrap).
void real_arm_timer(reprise::Nanoseconds duration) asm(
    "__real__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");
void wrapped_arm_timer(reprise::Nanoseconds duration) asm(
    "__wrap__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");

void wrapped_arm_timer(reprise::Nanoseconds duration) {
  const bool limit = duration.value() > random_limit::shortest;
  if (!limit || reprise::guest_in_first_run() == nullptr) return real_arm_timer(duration);
  real_arm_timer(reprise::Nanoseconds{random_limit::next_up_to(duration.value())});
}
