// See streams.hpp.
#include "user/monitor/streams.hpp"

#include "user/drivers/services.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/drivers.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/start.hpp"

namespace monitor {
namespace {

constexpr Outside::Input at_its_end{.bytes = 0, .ended = true};

Outside::Input ask(std::uint64_t server, std::uint64_t operation, std::uint64_t flag,
                   std::span<char> room) {
  user::Words words{operation, room.size(), flag};
  const std::int64_t bytes = user::call(server, words, room);
  if (bytes < 0) return at_its_end;
  if (words[0] == service::WouldBlock) return {};
  return {.bytes = static_cast<std::size_t>(bytes), .ended = bytes == 0};
}

}  // namespace

void Streams::write(std::string_view text) {
  if (!user::write_to_host(text)) user::log(text);
}

Outside::Input Streams::read(std::span<char> room) {
  return user::start_information().stream_server != 0 ? read_host(room) : read_terminal(room);
}

Outside::Input Streams::read_terminal(std::span<char> room) {
  if (terminal_ == 0) terminal_ = user::find(service::terminal_name);
  if (terminal_ < 0) return at_its_end;
  return ask(static_cast<std::uint64_t>(terminal_), service::terminal_read,
             service::terminal_read_now, room);
}

Outside::Input Streams::read_host(std::span<char> room) {
  const reprise_start& start = user::start_information();
  if ((start.stream_rights & REPRISE_STREAM_INPUT) == 0) return at_its_end;
  return ask(start.stream_server, service::host_read, service::host_read_now, room);
}

}  // namespace monitor
