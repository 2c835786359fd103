// See drivers.hpp.
#include "user/lib/drivers.hpp"

#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"

namespace user {

std::int64_t read_terminal(std::span<char> buffer) {
  const std::int64_t terminal = find(service::terminal_name);
  Words words{service::terminal_read, buffer.size()};
  const std::int64_t bytes =
      terminal > 0 ? call(static_cast<std::uint64_t>(terminal), words, buffer) : 0;
  return bytes > 0 ? bytes : 0;
}

std::uint64_t wall_clock() {
  const std::int64_t clock = find(service::clock_name);
  Words words{service::clock_wall};
  const bool told = clock > 0 && call(static_cast<std::uint64_t>(clock), words) >= 0;
  return (told ? words[1] : 0) + static_cast<std::uint64_t>(time());
}

}  // namespace user
