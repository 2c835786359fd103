// See ipc.hpp.
#include "user/lib/ipc.hpp"

#include "user/lib/calls.hpp"

namespace user {
namespace {

struct Registers {
  std::uint64_t rdi, rsi, rdx, r10, r8, r9;
};

// system_call.asm: all six registers in, and as the kernel left them out.
extern "C" std::int64_t reprise_message_call(std::uint64_t number, Registers* registers);

std::int64_t call_with(std::uint64_t to, Words& words, const char* buffer, std::uint64_t sizes) {
  Registers r{to, words[0], words[1], words[2], reinterpret_cast<std::uint64_t>(buffer), sizes};
  const std::int64_t result = reprise_message_call(REPRISE_CALL, &r);
  words = {r.rsi, r.rdx, r.r10};
  return result;
}

}  // namespace

std::int64_t call(std::uint64_t to, Words& words, std::span<char> buffer, std::size_t bytes) {
  return call_with(to, words, buffer.data(), REPRISE_SIZES(bytes, buffer.size()));
}

std::int64_t send(std::uint64_t to, Words& words, std::span<const char> bytes) {
  return call_with(to, words, bytes.data(), REPRISE_SIZES(bytes.size(), 0));
}

Received receive(std::uint64_t to, const Words& words, std::span<char> buffer, std::size_t bytes) {
  Registers r{to,
              words[0],
              words[1],
              words[2],
              reinterpret_cast<std::uint64_t>(buffer.data()),
              REPRISE_SIZES(bytes, buffer.size())};
  const std::int64_t sender = reprise_message_call(REPRISE_RECEIVE, &r);
  return {sender, {r.rsi, r.rdx, r.r10}, r.r8};
}

std::int64_t alarm(std::uint64_t nanoseconds) { return raw_call(REPRISE_ALARM, nanoseconds); }

std::int64_t find(std::string_view name) {
  std::array<char, REPRISE_NAME_BYTES> buffer;
  if (name.size() > buffer.size()) return -REPRISE_GONE;
  for (std::size_t i = 0; i < name.size(); ++i) buffer[i] = name[i];
  Words words{REPRISE_FIND};
  const std::int64_t result = call(REPRISE_INIT, words, buffer, name.size());
  if (result < 0) return result;
  return words[0] != 0 ? static_cast<std::int64_t>(words[0]) : -REPRISE_GONE;
}

}  // namespace user
