// clock [CENTURY]: the CMOS real-time clock. It is read once, at the first request (services.hpp).
// So a boot does not depend on the date unless a program asks for it. From then on the kernel's own
// clock counts. CENTURY is the register that holds the century according to ACPI; 0: none. Needs
// the ports 70 to 71.
#include "user/drivers/cmos.hpp"
#include "user/drivers/ports.hpp"
#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

// The wall clock at kernel entry.
std::uint64_t wall_at_entry(std::uint8_t century_register) {
  constexpr std::uint64_t second = 1'000'000'000;
  const auto date = drivers::read_cmos_clock<drivers::MachinePorts>(century_register);
  const auto since_entry = static_cast<std::uint64_t>(user::time());
  if (date) return drivers::seconds_since_1970(*date) * second - since_entry;
  user::print("[reprise] clock: the CMOS clock shows no date; time counts from 1970\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t century = user::number_argument(argc, argv, 1, 0);
  std::optional<std::uint64_t> wall;
  std::uint64_t to = 0;
  user::Words answer{};
  while (true) {
    const user::Received got = user::receive(to, answer, {});
    to = got.sender > 0 ? static_cast<std::uint64_t>(got.sender) : 0;
    answer = {service::Unknown};
    if (to == 0 || got.words[0] != service::clock_wall) continue;
    if (!wall) wall = wall_at_entry(static_cast<std::uint8_t>(century));
    answer = {service::Ok, *wall};
  }
}
