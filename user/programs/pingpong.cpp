// Messages between processes: `pingpong pong N` answers, `pingpong ping N` asks N times and checks
// each answer. Every message has its number; the bytes that go with it are long enough to span
// pages.
#include <array>
#include <cstdint>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::size_t longest = 9000;
std::array<char, longest> buffer{};

constexpr std::size_t size_of(std::uint64_t number) { return number * 37 % longest; }

char byte_of(std::uint64_t number, std::size_t i) { return static_cast<char>(number * 31 + i); }

void fill(std::uint64_t number) {
  for (std::size_t i = 0; i < size_of(number); ++i) buffer[i] = byte_of(number, i);
}

void check(std::uint64_t number, std::int64_t bytes) {
  REPRISE_CHECK(bytes == static_cast<std::int64_t>(size_of(number)));
  for (std::size_t i = 0; i < size_of(number); ++i) REPRISE_CHECK(buffer[i] == byte_of(number, i));
}

void ping(std::uint64_t count) {
  std::int64_t partner = 0;
  while ((partner = user::find("pong")) < 0) user::yield();
  std::uint64_t sum = 0;
  for (std::uint64_t number = 1; number <= count; ++number) {
    fill(number);
    user::Words words{number, ~number, sum};
    const std::int64_t bytes =
        user::call(static_cast<std::uint64_t>(partner), words, buffer, size_of(number));
    check(number + 1, bytes);
    REPRISE_CHECK(words[0] == number && words[1] == number * number);
    sum += words[2];
  }
  user::print("ping: ", count, " messages, sum ", sum, "\n");
}

void pong(std::uint64_t count) {
  std::uint64_t sum = 0;
  user::Received message = user::receive(0, {}, buffer);
  for (std::uint64_t number = 1; number <= count; ++number) {
    REPRISE_CHECK(message.sender > 0 && message.words[0] == number && message.words[1] == ~number);
    REPRISE_CHECK(message.words[2] == sum);
    check(number, static_cast<std::int64_t>(message.bytes));
    fill(number + 1);
    sum += number * 3;
    const auto caller = static_cast<std::uint64_t>(message.sender);
    if (number == count) user::alarm(0);  // so that the last receive() has something to get
    message =
        user::receive(caller, {number, number * number, number * 3}, buffer, size_of(number + 1));
  }
  REPRISE_CHECK(message.sender == 0 && message.words[0] == REPRISE_NOTE_ALARM);
  user::print("pong: ", count, " messages, sum ", sum, "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = user::number_argument(argc, argv, 2, 100);
  user::text_argument(argc, argv, 1) == "pong" ? pong(count) : ping(count);
  return 0;
}
