// See drivers.hpp.
#include "user/lib/drivers.hpp"

#include "user/drivers/host_channel.hpp"
#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/start.hpp"

namespace user {

namespace {

std::int64_t read_from_host(std::span<char> buffer) {
  const reprise_start& start = start_information();
  Words words{service::host_read, buffer.size()};
  if ((start.stream_rights & REPRISE_STREAM_INPUT) == 0) return 0;
  const std::int64_t bytes = call(start.stream_server, words, buffer);
  return bytes > 0 ? bytes : 0;
}

}  // namespace

bool write_to_host(std::string_view text) {
  const std::uint64_t server = start_information().stream_server;
  if (server == 0) return false;
  Words words{service::host_sends(static_cast<std::uint64_t>(drivers::FrameKind::Output))};
  return send(server, words, text) == 0 && words[0] == service::Ok;
}

std::int64_t read_input(std::span<char> buffer) {
  if (start_information().stream_server != 0) return read_from_host(buffer);
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
