// poll and select. Files and output are always ready. A process can wait for the input of the
// terminal or of the host. It could also wait for a pipe, but nobody else fills that.
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/pipe.hpp"
#include "user/linux/signals.hpp"
#include "user/linux/streams.hpp"
#include "user/linux/terminal.hpp"
#include "user/linux/timers.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

constexpr std::uint16_t in = 1, out = 4, error = 8, hang_up = 16, invalid = 32, in_normal = 0x40,
                        out_normal = 0x100;
constexpr std::uint64_t for_ever = never;

struct PollEntry {
  std::int32_t descriptor;
  std::uint16_t wanted, ready;
};

std::uint16_t pipe_state(const OpenFile& file) {
  const Pipe& pipe = *file.pipe;
  if (file.kind == OpenKind::PipeReader) {
    return static_cast<std::uint16_t>((pipe.count > 0 ? in | in_normal : 0) |
                                      (pipe.writers == 0 ? hang_up : 0));
  }
  return static_cast<std::uint16_t>((pipe.count < Pipe::capacity ? out | out_normal : 0) |
                                    (pipe.readers == 0 ? error : 0));
}

std::uint16_t state_of(const OpenFile& file, std::uint16_t wanted) {
  if (file.pipe != nullptr) return pipe_state(file);
  constexpr std::uint16_t input = in | in_normal, output = out | out_normal;
  if (file.kind == OpenKind::Output) return output;
  if (file.kind == OpenKind::Input) {
    return (wanted & input) != 0 && has_input(file) ? input : 0;
  }
  return input | output;
}

// What of `wanted` is ready. Errors are reported without being wanted.
std::uint16_t ready_of(int number, std::uint16_t wanted) {
  const OpenFile* file = descriptor(number);
  if (file == nullptr) return invalid;
  return static_cast<std::uint16_t>(state_of(*file, wanted) & (wanted | error | hang_up));
}

// Calls `count_ready` until it finds something or the time is over. Without a time limit the wait
// is one call. With a time limit, the input is asked for every ten milliseconds.
template <typename Count>
Value wait(std::uint64_t timeout, const OpenFile* input, Count count_ready) {
  Value count = count_ready();
  if (count != 0 || timeout == 0) return count;
  if (timeout == for_ever) {
    if (input == nullptr) return wait_for_signal("descriptors that nobody can make ready");
    if (timer_expiry() == never) {
      wait_for_input(*input);
      return count_ready();
    }
  }
  std::uint64_t now = monotonic_nanoseconds();
  const std::uint64_t end = timeout < never - now ? now + timeout : never;
  const std::uint64_t longest = input != nullptr ? terminal_interval : never;
  for (; now < end; now = monotonic_nanoseconds()) {
    const std::uint64_t next = longest < end - now ? now + longest : end;
    if (sleep_until(next) == Woken::BySignal) return fail(Errno::Interrupted);
    count = count_ready();
    if (count != 0) return count;
  }
  return 0;
}

// The open file when it is one whose input can arrive later; else nullptr.
const OpenFile* input_of(int number) {
  const OpenFile* file = descriptor(number);
  return file != nullptr && file->kind == OpenKind::Input ? file : nullptr;
}

Value poll(UserAddress entries, std::uint64_t count, std::uint64_t timeout) {
  if (count > descriptor_limit) return fail(Errno::Invalid);
  const OpenFile* input = nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    PollEntry entry{};
    if (!read_user(entries + i * sizeof entry, entry)) return fail(Errno::Fault);
    if (input == nullptr && (entry.wanted & in) != 0) input = input_of(entry.descriptor);
  }
  return wait(timeout, input, [&]() -> Value {
    Value ready = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      PollEntry entry{};
      if (!read_user(entries + i * sizeof entry, entry)) return fail(Errno::Fault);
      entry.ready = entry.descriptor < 0 ? 0 : ready_of(entry.descriptor, entry.wanted);
      if (!write_user(entries + i * sizeof entry, entry)) return fail(Errno::Fault);
      ready += entry.ready != 0 ? 1 : 0;
    }
    return ready;
  });
}

struct DescriptorSet {
  std::uint64_t words[descriptor_limit / 64];

  [[nodiscard]] bool has(int number) const { return (words[number / 64] >> number % 64 & 1) != 0; }
  void add(int number) { words[number / 64] |= 1ull << number % 64; }
};

struct Selection {
  DescriptorSet read, write, except;
};

Value count_selected(int limit, const Selection& wanted, Selection& ready) {
  ready = {};
  Value count = 0;
  for (int number = 0; number < limit; ++number) {
    const bool reads = wanted.read.has(number), writes = wanted.write.has(number);
    if (!reads && !writes && !wanted.except.has(number)) continue;
    const auto mask = static_cast<std::uint16_t>((reads ? in : 0) | (writes ? out : 0));
    const std::uint16_t state = ready_of(number, mask);
    if (state == invalid) return fail(Errno::BadFile);
    if (reads && (state & (in | hang_up | error)) != 0) {
      ready.read.add(number);
      ++count;
    }
    if (writes && (state & (out | error)) != 0) {
      ready.write.add(number);
      ++count;
    }
  }
  return count;
}

Value select(const Call& call, std::uint64_t timeout) {
  const int limit = call.integer(0);
  if (limit < 0) return fail(Errno::Invalid);
  const int checked = limit < descriptor_limit ? limit : descriptor_limit;
  const std::uint64_t bytes = static_cast<std::uint64_t>(checked + 63) / 64 * 8;
  Selection wanted{}, ready{};
  DescriptorSet* const sets[3] = {&wanted.read, &wanted.write, &wanted.except};
  const DescriptorSet* const results[3] = {&ready.read, &ready.write, &ready.except};
  const OpenFile* input = nullptr;
  for (unsigned i = 0; i < 3; ++i) {
    const UserAddress from = call.user(i + 1);
    if (!from.is_null() && !copy_in(sets[i], from, bytes)) return fail(Errno::Fault);
  }
  for (int i = 0; i < checked && input == nullptr; ++i) {
    if (wanted.read.has(i)) input = input_of(i);
  }
  const Value count = wait(timeout, input, [&] { return count_selected(checked, wanted, ready); });
  if (count < 0) return count;
  for (unsigned i = 0; i < 3; ++i) {
    const UserAddress to = call.user(i + 1);
    if (!to.is_null() && !copy_out(to, results[i], bytes)) return fail(Errno::Fault);
  }
  return count;
}

Value read_timeout(UserAddress from, std::uint64_t& timeout) {
  TimeSpec time{};
  timeout = for_ever;
  if (from.is_null()) return 0;
  if (!read_user(from, time)) return fail(Errno::Fault);
  if (!is_valid(time)) return fail(Errno::Invalid);
  timeout = to_nanoseconds(time);
  return 0;
}

// The mask that ppoll and pselect6 wait with. `bytes` is its size.
Value take_mask(UserAddress from, std::uint64_t bytes) {
  std::uint64_t mask = 0;
  if (from.is_null()) return 0;
  if (bytes != sizeof mask) return fail(Errno::Invalid);
  if (!read_user(from, mask)) return fail(Errno::Fault);
  replace_mask(mask);
  return 0;
}

}  // namespace

Value call_poll(Call& call) {
  const std::int64_t milliseconds = call.integer(2);
  const std::uint64_t timeout =
      milliseconds < 0 ? for_ever : static_cast<std::uint64_t>(milliseconds) * 1'000'000;
  return poll(call.user(0), call.argument[1], timeout);
}

Value call_ppoll(Call& call) {
  std::uint64_t timeout = 0;
  if (const Value result = read_timeout(call.user(2), timeout); result < 0) return result;
  if (const Value result = take_mask(call.user(3), call.argument[4]); result < 0) return result;
  return poll(call.user(0), call.argument[1], timeout);
}

Value call_select(Call& call) {
  std::uint64_t timeout = for_ever;
  if (!call.user(4).is_null()) {
    TimeVal time{};
    if (!read_user(call.user(4), time)) return fail(Errno::Fault);
    if (time.seconds < 0 || time.microseconds < 0) return fail(Errno::Invalid);
    timeout =
        to_nanoseconds({time.seconds, 0}) + static_cast<std::uint64_t>(time.microseconds) * 1000;
  }
  return select(call, timeout);
}

Value call_pselect6(Call& call) {
  std::uint64_t timeout = 0;
  struct Mask {
    std::uint64_t address, bytes;
  } mask{};
  if (const Value result = read_timeout(call.user(4), timeout); result < 0) return result;
  if (!call.user(5).is_null() && !read_user(call.user(5), mask)) return fail(Errno::Fault);
  const Value masked = take_mask(UserAddress(mask.address), mask.bytes);
  if (masked < 0) return masked;
  return select(call, timeout);
}

}  // namespace personality
