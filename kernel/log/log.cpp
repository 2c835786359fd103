#include "kernel/log/log.hpp"

#include "arch/serial.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/arithmetic.hpp"
#include "kernel/ipc/ipc.hpp"

namespace reprise {

constinit Log kernel_log;

void Log::write(std::string_view text) {
  constexpr std::uint64_t piece = 256;
  for (const char c : text) {
    if (head_ - serial().sent == ring_.size()) send_until(serial().sent + piece);
    for (Output& output : outputs_) {
      if (head_ - output.sent < ring_.size()) continue;
      output.sent += piece;
      output.taken = larger(output.taken, output.sent);
    }
    ring_[head_++ % ring_.size()] = c;
  }
  if (serial().reader == nullptr) send_until(head_);
}

// By the emergency line.
void Log::send_until(std::uint64_t end) {
  Output& out = outputs_[0];
  while (out.sent < end) {
    const std::size_t at = out.sent % ring_.size();
    const std::size_t count = smaller(end - out.sent, ring_.size() - at);
    if (!quiet) arch::write_emergency({ring_.data() + at, count});
    out.sent += count;
  }
  out.taken = larger(out.taken, out.sent);
}

std::span<const char> Log::read(Process& reader, std::size_t output, std::size_t most) {
  Output& out = outputs_[output];
  out.reader = &reader;
  out.told = false;
  out.sent = out.taken;
  const std::size_t at = out.taken % ring_.size();
  const std::size_t count = smaller(smaller(most, head_ - out.taken), ring_.size() - at);
  out.taken += count;
  return {ring_.data() + at, count};
}

void Log::tell_readers(Ipc& ipc) {
  for (Output& out : outputs_) {
    if (out.reader == nullptr || out.told || out.taken == head_) continue;
    out.told = true;
    ipc.notify(*out.reader, REPRISE_NOTE_LOG);
  }
}

bool Log::all_sent() const {
  for (const Output& out : outputs_) {
    if (out.reader == nullptr) continue;
    if (out.sent != head_ || out.reader->status != ProcessStatus::Receiving) return false;
  }
  return true;
}

void Log::lose_reader(const Process* reader) {
  if (reader == nullptr) quiet = false;  // whatever is said now has to be seen
  for (Output& out : outputs_)
    if (reader == nullptr || out.reader == reader) out.reader = nullptr;
  if (serial().reader == nullptr) send_until(head_);
}

}  // namespace reprise
