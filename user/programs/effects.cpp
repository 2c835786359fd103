// Numbered effects on the outside, which a test counts there. `effects source N` writes to a port
// by OUT and REP OUTS, writes to the event timer's counter at FED000F0h, and sends messages to
// `effects sink N`, which writes them to a port of its own.
#include <array>
#include <cstdint>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint16_t single_port = 0x1200, string_port = 0x1204, message_port = 0x1300;
constexpr std::uint64_t timer = 0xfed00000, place = 0x200000000, counter_offset = 0xf0;

void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

void send_effects(std::uint32_t count) {
  REPRISE_CHECK(user::raw_call(REPRISE_MAP_DEVICE, place, 4096, timer) == 0);
  auto& counter = *reinterpret_cast<volatile std::uint32_t*>(place + counter_offset);
  std::int64_t sink = 0;
  while ((sink = user::find("sink")) < 0) user::yield();
  for (std::uint32_t i = 1; i <= count; ++i) {
    out32(single_port, i);
    std::array<std::uint32_t, 3> three{3 * i, 3 * i + 1, 3 * i + 2};
    const void* next = three.data();
    std::size_t left = three.size();
    asm volatile("rep outsl" : "+S"(next), "+c"(left) : "d"(string_port), "m"(three));
    counter = i;
    user::Words words{i, 0, 0};
    REPRISE_CHECK(user::call(static_cast<std::uint64_t>(sink), words) == 0 && words[0] == i + 1);
  }
  user::print("source: ", count, "\n");
}

void take_messages(std::uint32_t count) {
  user::Received message = user::receive(0, {}, {});
  for (std::uint32_t i = 1; i <= count; ++i) {
    out32(message_port, static_cast<std::uint32_t>(message.words[0]));
    if (i == count) user::alarm(0);
    message = user::receive(static_cast<std::uint64_t>(message.sender), {message.words[0] + 1}, {});
  }
  user::print("sink: ", count, "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = static_cast<std::uint32_t>(user::number_argument(argc, argv, 2, 10));
  user::text_argument(argc, argv, 1) == "sink" ? take_messages(count) : send_effects(count);
  return 0;
}
