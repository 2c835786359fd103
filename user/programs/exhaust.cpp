// exhaust: maps and touches memory until there is none. An error from the kernel is success, and
// the kernel may also stop the program. Other programs must not be harmed.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int, char**) {
  constexpr std::size_t chunk = 1 << 20;
  const reprise_start& start = user::start_information();
  std::uint64_t address = start.map_low;
  std::int64_t result = 0;
  for (; address + chunk <= start.map_high; address += chunk) {
    result = user::map(address, chunk, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE);
    if (result != 0) break;
    for (std::size_t at = 0; at < chunk; at += REPRISE_PAGE_SIZE)
      *reinterpret_cast<volatile std::uint64_t*>(address + at) = address + at;
  }
  REPRISE_CHECK(result == -REPRISE_NO_MEMORY);
  REPRISE_CHECK(address > start.map_low);

  // Memory that was mapped stays usable, and unmapped memory can be mapped again.
  for (std::uint64_t at = start.map_low; at < address; at += REPRISE_PAGE_SIZE)
    REPRISE_CHECK(*reinterpret_cast<const volatile std::uint64_t*>(at) == at);
  REPRISE_CHECK(user::unmap(start.map_low, chunk) == 0);
  REPRISE_CHECK(user::map(start.map_low, chunk / 2, REPRISE_PROTECT_READ) == 0);
  user::print("exhaust: memory ended, and was said to have ended\n");
  return 0;
}
