// terminal [stdin=none]: the serial line COM1. Sends the log's text, and hands typed characters to
// programs that ask for them (services.hpp). With stdin=none each program finds its input at the
// end. Needs the ports 3f8 to 3ff, interrupt line 4 and the log.
#include "user/drivers/ports.hpp"
#include "user/drivers/terminal_server.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

struct Kernel {
  static std::size_t read_log(std::span<char> buffer) {
    const std::int64_t count = user::read_log(buffer, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  static void alarm(std::uint64_t from_now) {
    user::alarm(static_cast<std::uint64_t>(user::time()) + from_now);
  }
  static void say_lost(std::uint64_t count) {
    user::print("[reprise] terminal: ", count, " characters of input were lost\n");
  }
};

using Server = drivers::TerminalServer<drivers::MachinePorts, Kernel>;
constinit Server open_server{Server::Input::Open}, closed_server{Server::Input::Closed};

}  // namespace

int main(int argc, char** argv) {
  const bool closed = user::text_argument(argc, argv, 1) == "stdin=none";
  Server& server = closed ? closed_server : open_server;
  if (!server.start()) user::print("[reprise] terminal: no serial port answers\n");
  while (true) {
    const Server::Answer answer = server.answer();
    const user::Received got =
        user::receive(answer.to, {answer.status}, answer.bytes, answer.bytes.size());
    server.answered(got.sender < 0 ? Server::Given::No : Server::Given::Yes);
    if (got.sender == 0) server.notified(got.words[0]);
    if (got.sender > 0) {
      server.requested(static_cast<std::uint64_t>(got.sender), got.words[0], got.words[1],
                       got.words[2]);
    }
  }
}
