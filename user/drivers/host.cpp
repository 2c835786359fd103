// host ADDRESS: programs' standard streams and files for the host, through memory that it shares
// with the machine (host_channel.hpp). ADDRESS is that memory's physical address. Needs it as
// device memory.
#include "user/drivers/host_server.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constinit std::uint64_t physical = 0;
constexpr std::uint64_t mapped = 0x200000000;  // where nothing else of this program is

struct Channel {
  static std::uint64_t read(drivers::ChannelWord word) { return *at(word); }
  static void write(drivers::ChannelWord word, std::uint64_t value) { *at(word) = value; }
  static void store(std::uint64_t offset, std::span<const std::byte> bytes) {
    user::device_write(physical + offset, bytes);
  }
  static void load(std::uint64_t offset, std::span<std::uint64_t> words) {
    user::copy_words(words, mapped + offset);
  }

private:
  static volatile std::uint64_t* at(drivers::ChannelWord word) {
    return reinterpret_cast<volatile std::uint64_t*>(mapped) + static_cast<unsigned>(word);
  }
};

struct Kernel {
  static void sleep(std::uint64_t time) {
    user::sleep_until(static_cast<std::uint64_t>(user::time()) + time);
  }
  static void alarm(std::uint64_t from_now) {
    user::alarm(static_cast<std::uint64_t>(user::time()) + from_now);
  }
};

using Server = drivers::HostServer<Channel, Kernel>;
constinit Server server;

bool start(std::uint64_t address) {
  physical = address;
  return user::raw_call(REPRISE_MAP_DEVICE, mapped, drivers::channel_bytes, address) == 0 &&
         server.start();
}

}  // namespace

int main(int argc, char** argv) {
  if (!start(user::number_argument(argc, argv, 1, 0))) {
    user::print("[reprise] host: the memory that should be shared with the host is no channel\n");
  }
  while (true) {
    const Server::Answer answer = server.answer();
    const user::Received got =
        user::receive(answer.to, {answer.status, answer.word}, server.buffer(), answer.bytes);
    if (got.sender == 0) server.notified(got.words[0]);
    if (got.sender > 0) {
      server.requested(static_cast<std::uint64_t>(got.sender), got.words[0], got.words[1],
                       got.words[2], got.bytes);
    }
  }
}
