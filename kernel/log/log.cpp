#include "kernel/log/log.hpp"

#include "arch/serial.hpp"
#include "kernel/base/arithmetic.hpp"

namespace reprise {

void Log::write(std::string_view text) {
  if (text.empty()) return;
  write_raw(text);
  within_line_ = text.back() != '\n';
}

void Log::write_line(std::string_view prefix, std::string_view text) {
  go_to_margin();
  write_raw(prefix);
  write_raw(text);
  write_raw("\n");
}

void Log::go_to_margin() {
  if (within_line_) write_raw("\n");
  within_line_ = false;
}

void Log::write_raw(std::string_view text) {
  for (const char c : text) {
    make_room();
    ring_[head_ % ring_.size()] = c;
    ++head_;
  }
  send_unread();
}

// The serial line's text goes out when the ring is full. Other outputs miss theirs.
void Log::make_room() {
  constexpr std::uint64_t piece = 256;
  if (head_ - serial().sent == ring_.size()) send_until(serial().sent + piece);
  for (Output& output : outputs_) {
    if (head_ - output.sent < ring_.size()) continue;
    output.sent += piece;
    output.taken = larger(output.taken, output.sent);
  }
}

void Log::send_unread() {
  if (serial().reader == nobody) send_until(head_);
}

// By the emergency serial line.
void Log::send_until(std::uint64_t end) {
  Output& out = outputs_[0];
  while (out.sent < end) {
    const std::size_t at = out.sent % ring_.size();
    const std::size_t count = smaller(end - out.sent, ring_.size() - at);
    if (!quiet_) arch::write_emergency({ring_.data() + at, count});
    out.sent += count;
  }
  out.taken = larger(out.taken, out.sent);
}

std::span<const char> Log::read(std::uint64_t reader, std::size_t output, std::size_t most) {
  Output& out = outputs_[output];
  out.reader = reader;
  out.reported = false;
  out.sent = out.taken;
  const std::size_t at = out.taken % ring_.size();
  const std::size_t count = smaller(smaller(most, head_ - out.taken), ring_.size() - at);
  out.taken += count;
  return {ring_.data() + at, count};
}

std::optional<std::uint64_t> Log::take_reader_to_tell() {
  for (Output& out : outputs_) {
    if (out.reader == nobody || out.reported || out.taken == head_) continue;
    out.reported = true;
    return out.reader;
  }
  return std::nullopt;
}

bool Log::reads(std::uint64_t reader) const {
  for (const Output& out : outputs_) {
    if (out.reader == reader) return true;
  }
  return false;
}

bool Log::all_sent() const {
  for (const Output& out : outputs_) {
    if (out.reader != nobody && out.sent != head_) return false;
  }
  return true;
}

void Log::lose_reader(std::uint64_t reader) {
  for (Output& out : outputs_) {
    if (out.reader == reader) out.reader = nobody;
  }
  send_unread();
}

void Log::lose_all_readers() {
  quiet_ = false;  // the last text has to be seen
  for (Output& out : outputs_) out.reader = nobody;
  send_unread();
}

}  // namespace reprise
