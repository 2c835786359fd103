// Checks which messages are refused, and in which order messages come: `talk alone`; `talk server`
// with `talk client`; `talk queue N` with N times `talk caller`.
#include <array>
#include <cstdint>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t nowhere = 0x300000000, kernel = 0xffff800000000000;
std::array<char, 200> buffer{};

std::span<char> first(std::size_t bytes) { return std::span{buffer}.first(bytes); }

std::uint64_t partner(std::string_view name) {
  std::int64_t found = 0;
  while ((found = user::find(name)) < 0) user::yield();
  return static_cast<std::uint64_t>(found);
}

std::int64_t call_with(std::uint64_t to, std::uint64_t address, std::uint64_t sizes) {
  user::Words words{};
  const std::span<char> made_up{reinterpret_cast<char*>(address), sizes >> 32};
  return user::call(to, words, made_up, sizes & 0xffffffff);
}

void alone() {
  const auto self = static_cast<std::uint64_t>(user::self());
  user::Words words{};
  for (const std::uint64_t to : {std::uint64_t{0}, self, std::uint64_t{99}, ~std::uint64_t{0}})
    REPRISE_CHECK(user::call(to, words) == -REPRISE_GONE);
  REPRISE_CHECK(user::find("nobody") == -REPRISE_GONE);
  REPRISE_CHECK(user::find("a name that is longer than any process's") == -REPRISE_GONE);
  user::Words unknown{77, 1, 2};
  REPRISE_CHECK(user::call(REPRISE_INIT, unknown) == 0 && unknown[0] == 0);
  REPRISE_CHECK(user::call(REPRISE_INIT, unknown, buffer, 32) == -REPRISE_TOO_LONG);
  REPRISE_CHECK(user::receive(self, {}, {}).sender == -REPRISE_GONE);
  REPRISE_CHECK(user::receive(77, {}, {}).sender == -REPRISE_GONE);
  const std::span<char> bad{reinterpret_cast<char*>(nowhere), 8};
  REPRISE_CHECK(user::receive(0, {}, bad).sender == -REPRISE_BAD_ADDRESS);
  const std::span<char> constant{const_cast<char*>("constant"), 8};
  REPRISE_CHECK(user::receive(0, {}, constant).sender == -REPRISE_BAD_ADDRESS);
  REPRISE_CHECK(user::receive(0, {}, {buffer.data(), 65537}).sender == -REPRISE_BAD_ARGUMENT);

  // Alarms: at once when their time has gone by, once each, the later setting counts.
  user::alarm(1);
  REPRISE_CHECK(user::receive(0, {}, {}).words[0] == REPRISE_NOTE_ALARM);
  const std::int64_t start = user::time();
  user::alarm(~std::uint64_t{0} - 1);
  user::alarm(static_cast<std::uint64_t>(start) + 2'000'000);
  const user::Received note = user::receive(0, {}, {});
  REPRISE_CHECK(note.sender == 0 && note.words[0] == REPRISE_NOTE_ALARM);
  REPRISE_CHECK(user::time() >= start + 2'000'000);

  REPRISE_CHECK(user::raw_call(REPRISE_MAP_DEVICE, 0x200000000, 4096, 0xfed00000) ==
                -REPRISE_NOT_GRANTED);
  REPRISE_CHECK(user::raw_call(REPRISE_MAP_DEVICE, 0x200000000, 4096, 0x10) ==
                -REPRISE_BAD_ARGUMENT);
  REPRISE_CHECK(user::raw_call(REPRISE_MAP_DEVICE, 0x200000000, 8192, ~0xffful) ==
                -REPRISE_BAD_ARGUMENT);
  REPRISE_CHECK(user::raw_call(REPRISE_DEVICE_WRITE, 0xfed00000, 0, 16) == -REPRISE_NOT_GRANTED);
  user::print("alone: done\n");
}

void serve() {
  user::Received message = user::receive(0, {}, first(10));
  const auto client = static_cast<std::uint64_t>(message.sender);
  REPRISE_CHECK(client == partner("client") && message.words[0] == 2);  // 1 was too long
  user::Words words{};
  REPRISE_CHECK(user::call(client, words) == -REPRISE_DEADLOCK);
  REPRISE_CHECK(user::receive(client, {}, buffer, 100).sender == -REPRISE_TOO_LONG);
  message = user::receive(client, {20, 0, 0}, first(50), 50);
  REPRISE_CHECK(message.words[0] == 3);
  user::print("server: done\n");  // and does not answer
}

void ask() {
  const std::uint64_t server = partner("server");
  user::Words words{1, 0, 0};
  REPRISE_CHECK(user::call(server, words, buffer, 100) == -REPRISE_TOO_LONG && words[0] == 1);
  REPRISE_CHECK(call_with(server, nowhere, REPRISE_SIZES(1, 0)) == -REPRISE_BAD_ADDRESS);
  REPRISE_CHECK(call_with(server, kernel, REPRISE_SIZES(8, 8)) == -REPRISE_BAD_ADDRESS);
  words = {2, 0, 0};
  REPRISE_CHECK(user::call(server, words, first(50), 10) == 50 && words[0] == 20);
  words = {3, 0, 0};
  REPRISE_CHECK(user::call(server, words) == -REPRISE_GONE);
  REPRISE_CHECK(user::call(server, words) == -REPRISE_GONE);
  user::print("client: done\n");
}

// Receives all messages before it answers any, then answers the last one first.
void queue(std::uint64_t count) {
  std::array<std::uint64_t, 16> callers{};
  user::sleep_until(static_cast<std::uint64_t>(user::time()) + 5'000'000);  // all have called
  for (std::uint64_t i = 0; i < count; ++i) {
    const user::Received message = user::receive(0, {}, {});
    callers[i] = static_cast<std::uint64_t>(message.sender);
    REPRISE_CHECK(i == 0 || callers[i] > callers[i - 1]);  // as they were started
  }
  user::alarm(0);
  while (count-- > 1) {
    REPRISE_CHECK(user::receive(callers[count], {count, 0, 0}, {}).words[0] == REPRISE_NOTE_ALARM);
    user::alarm(0);
  }
  user::print("queue: done\n");
}

void call_queue() {
  user::Words words{};
  const std::int64_t result = user::call(partner("queue"), words);
  user::print(result == 0 ? "answered\n" : "left alone\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view role = user::text_argument(argc, argv, 1);
  if (role == "alone") alone();
  if (role == "server") serve();
  if (role == "client") ask();
  if (role == "queue") queue(user::number_argument(argc, argv, 2, 3));
  if (role == "caller") call_queue();
  return 0;
}
