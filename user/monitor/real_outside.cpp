// See real_outside.hpp.
#include "user/monitor/real_outside.hpp"

#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/ipc.hpp"
#include "user/monitor/report.hpp"

namespace monitor {

std::uint64_t RealOutside::time() { return static_cast<std::uint64_t>(user::time()); }

void RealOutside::sleep_until(std::uint64_t time) { user::sleep_until(time); }

// Nobody has a reason to send the monitor messages. A sender is told so. RECEIVE waits behind the
// answer, so an alarm that is due ends that wait.
void RealOutside::take_notes() {
  user::Received got = user::receive(0, {}, {});
  while (got.sender > 0) {
    user::alarm(0);
    got = user::receive(static_cast<std::uint64_t>(got.sender), {service::Unknown}, {});
  }
}

CpuidWords RealOutside::cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  const user::CpuidResult words = user::cpuid(leaf, subleaf);
  return {.eax = words.eax, .ebx = words.ebx, .ecx = words.ecx, .edx = words.edx};
}

std::uint64_t RealOutside::extended_components() {
  constexpr std::uint32_t osxsave = 1 << 27;  // leaf 1 ECX
  return (user::cpuid(1).ecx & osxsave) != 0 ? user::enabled_state() : 0;
}

void RealOutside::name(std::uint16_t port, bool is_write) {
  say(is_write ? "it writes to port " : "it reads port ", ShortHex{port}, ", where no device is");
}

void RealOutside::name_msr(std::uint32_t msr, bool is_write) {
  say(is_write ? "it writes MSR " : "it reads MSR ", ShortHex{msr},
      is_write ? ", which is not kept" : ", which reads as 0");
}

}  // namespace monitor
