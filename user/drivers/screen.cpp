// screen ADDRESS PITCH WIDTH HEIGHT BITS RED GREEN BLUE: the log's text on the framebuffer. The
// arguments are its physical address, bytes a line, size in pixels, bits a pixel and bit positions
// of the colours. Needs that memory and the log. The screen follows the log some fifty times a
// second, so text may scroll away before it is drawn.
#include "user/drivers/services.hpp"
#include "user/drivers/text_screen.hpp"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constinit drivers::TextScreen screen;
constinit std::uint64_t address = 0;
constinit std::span<std::byte> pixels;  // of one row

void put_on_screen(std::size_t offset, std::size_t bytes) {
  user::device_write(address + offset, std::as_bytes(pixels.first(bytes)));
}

// Reads the log, then draws each changed row once. False: there may be more to read.
bool follow_log() {
  constexpr unsigned most_parts = 16;
  static constinit std::array<char, 4096> text{};
  unsigned part = 0;
  std::int64_t count = 0;
  for (; part < most_parts && (count = user::read_log(text, 1)) > 0; ++part)
    screen.write({text.data(), static_cast<std::size_t>(count)});
  for (unsigned row = 0; row < screen.rows(); ++row) {
    if (!screen.take_change(row)) continue;
    screen.draw(row, pixels);
    put_on_screen(row * screen.row_bytes(), screen.row_bytes());
  }
  return part < most_parts;
}

void alarm_in(std::uint64_t nanoseconds) {
  user::alarm(static_cast<std::uint64_t>(user::time()) + nanoseconds);
}

bool start(int argc, char** argv) {
  const auto number = [&](int index) { return user::number_argument(argc, argv, index, 0); };
  address = number(1);
  screen.start(
      {address, number(2), number(3), number(4), number(5), number(6), number(7), number(8)});
  if (!screen.on()) return false;
  const std::size_t bytes = (screen.row_bytes() + REPRISE_PAGE_SIZE - 1) & -REPRISE_PAGE_SIZE;
  const std::uint64_t buffer = user::start_information().map_low;
  if (user::map(buffer, bytes, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) != 0) return false;
  pixels = {reinterpret_cast<std::byte*>(buffer), screen.row_bytes()};
  put_on_screen(screen.rows() * screen.row_bytes(), screen.bytes_below());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint64_t pause = 20'000'000;  // nanoseconds
  if (!start(argc, argv)) {
    user::print("[reprise] screen: this framebuffer cannot be drawn on\n");
    return 0;
  }
  user::print("[reprise] screen: ", screen.columns(), " x ", screen.rows(), " characters\n");
  alarm_in(0);
  bool waits_for_alarm = true;
  std::uint64_t caller = 0;  // the screen serves no requests
  while (true) {
    const user::Received got = user::receive(caller, {service::Unknown}, {});
    caller = got.sender > 0 ? static_cast<std::uint64_t>(got.sender) : 0;
    if (got.sender != 0) continue;
    if ((got.words[0] & REPRISE_NOTE_ALARM) != 0) {
      waits_for_alarm = !follow_log();
      if (waits_for_alarm) alarm_in(0);
    } else if (!waits_for_alarm) {
      waits_for_alarm = true;
      alarm_in(pause);
    }
  }
}
