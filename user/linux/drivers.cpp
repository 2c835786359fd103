#include "user/linux/drivers.hpp"

#include <string_view>

#include "user/drivers/services.hpp"

extern "C" std::int64_t reprise_message_call(std::uint64_t number, std::uint64_t* registers);

namespace personality {

namespace {

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

// A driver is looked up once: all processes are there before any runs.
class Driver {
public:
  explicit constexpr Driver(std::string_view name) : name_(name) {}

  // Asks with three words; the answer's first two are in `words` afterwards.
  native::Result ask(std::uint64_t (&words)[3], char* buffer = nullptr, std::size_t room = 0) {
    if (!known_) find();
    if (number_ == 0) return -REPRISE_GONE;
    std::uint64_t registers[6]{number_,  words[0],           words[1],
                               words[2], address_of(buffer), REPRISE_SIZES(0ul, room)};
    const native::Result bytes = reprise_message_call(REPRISE_CALL, registers);
    words[0] = registers[1];
    words[1] = registers[2];
    return bytes;
  }

private:
  void find() {
    std::uint64_t registers[6]{REPRISE_INIT,
                               REPRISE_FIND,
                               0,
                               0,
                               address_of(name_.data()),
                               REPRISE_SIZES(name_.size(), 0ul)};
    known_ = true;
    if (reprise_message_call(REPRISE_CALL, registers) >= 0) number_ = registers[1];
  }

  std::string_view name_;
  bool known_ = false;
  std::uint64_t number_ = 0;  // 0: there is none
};

}  // namespace

native::Result read_input(char* buffer, std::size_t bytes, Wait wait) {
  static constinit Driver terminal{service::terminal_name};
  std::uint64_t words[3]{service::terminal_read, bytes,
                         wait == Wait::No ? service::terminal_read_now : 0};
  const native::Result got = terminal.ask(words, buffer, bytes);
  if (got < 0) return 0;
  return words[0] == service::WouldBlock ? -REPRISE_WOULD_BLOCK : got;
}

std::uint64_t wall_nanoseconds() {
  static constinit Driver clock{service::clock_name};
  static constinit std::uint64_t at_entry = 0;
  static constinit bool asked = false;
  if (!asked) {
    std::uint64_t words[3]{service::clock_wall};
    if (clock.ask(words) >= 0 && words[0] == service::Ok) at_entry = words[1];
    asked = true;
  }
  return at_entry + native::time();
}

}  // namespace personality
