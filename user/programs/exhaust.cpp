// exhaust: maps and touches memory until there is none. Being told so is success; being stopped by
// the kernel is allowed, too; what it must not do is harm other programs.
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

  // What was given stays usable, and what is given back can be had again.
  for (std::uint64_t at = start.map_low; at < address; at += REPRISE_PAGE_SIZE)
    REPRISE_CHECK(*reinterpret_cast<const volatile std::uint64_t*>(at) == at);
  REPRISE_CHECK(user::unmap(start.map_low, chunk) == 0);
  REPRISE_CHECK(user::map(start.map_low, chunk / 2, REPRISE_PROTECT_READ) == 0);
  user::print("exhaust: memory ended, and was said to have ended\n");
  return 0;
}
