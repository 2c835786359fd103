#include "user/linux/host.hpp"

#include "user/drivers/services.hpp"
#include "user/linux/process.hpp"

extern "C" std::int64_t reprise_message_call(std::uint64_t number, std::uint64_t* registers);

namespace personality {

namespace {

struct Answer {
  native::Result bytes;
  std::uint64_t status, word;
};

Answer ask(std::uint64_t operation, std::uint64_t first, std::uint64_t second, std::uint64_t buffer,
           std::uint64_t sizes) {
  std::uint64_t registers[6]{
      process().start.stream_server, operation, first, second, buffer, sizes};
  const native::Result bytes = reprise_message_call(REPRISE_CALL, registers);
  return {.bytes = bytes, .status = registers[1], .word = registers[2]};
}

}  // namespace

native::Result send_to_host(drivers::FrameKind kind, std::uint64_t address, std::uint64_t bytes,
                            std::uint64_t detail, std::uint64_t first, std::uint64_t second) {
  const auto number = static_cast<std::uint64_t>(kind);
  const Answer answer =
      ask(service::host_sends(number, detail), first, second, address, REPRISE_SIZES(bytes, 0ul));
  if (answer.bytes < 0) return answer.bytes;
  return answer.status == service::Ok ? 0 : -REPRISE_GONE;
}

HostInput read_from_host(std::uint64_t address, std::uint64_t most, Wait wait) {
  if (most > REPRISE_MESSAGE_BYTES) most = REPRISE_MESSAGE_BYTES;
  const Answer answer = ask(service::host_read, most, wait == Wait::No ? service::host_read_now : 0,
                            address, REPRISE_SIZES(0ul, most));
  if (answer.bytes < 0) return {.bytes = answer.bytes, .available = 0};
  if (answer.status == service::WouldBlock) return {.bytes = -REPRISE_WOULD_BLOCK, .available = 0};
  return {.bytes = answer.bytes, .available = answer.word};
}

native::Result read_wanted_files(std::uint64_t from, char* buffer, std::uint64_t room) {
  if (room > REPRISE_MESSAGE_BYTES) room = REPRISE_MESSAGE_BYTES;
  return ask(service::host_wanted, from, 0, reinterpret_cast<std::uint64_t>(buffer),
             REPRISE_SIZES(0ul, room))
      .bytes;
}

}  // namespace personality
