// See drivers.hpp.
#include "user/lib/drivers.hpp"

#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"

namespace user {

std::int64_t read_console(std::span<char> buffer) {
  const std::int64_t console = find(service::console_name);
  Words words{service::console_read, buffer.size()};
  const std::int64_t bytes =
      console > 0 ? call(static_cast<std::uint64_t>(console), words, buffer) : 0;
  return bytes > 0 ? bytes : 0;
}

std::uint64_t wall_clock() {
  const std::int64_t clock = find(service::clock_name);
  Words words{service::clock_wall};
  const bool told = clock > 0 && call(static_cast<std::uint64_t>(clock), words) >= 0;
  return (told ? words[1] : 0) + static_cast<std::uint64_t>(time());
}

}  // namespace user
