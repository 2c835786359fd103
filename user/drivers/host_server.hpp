// The host driver's logic: frames go out, input comes in. host.cpp has the loop around it. Output
// waits while the ring is full, and everybody who asks waits with it. Input is looked for now and
// then while a reader waits for some, as nothing announces it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/abi/reprise.h"
#include "user/drivers/host_channel.hpp"
#include "user/drivers/services.hpp"

namespace drivers {

// Memory: read(ChannelWord), write(ChannelWord, value), store(offset, span), and
// load(offset, span of whole 64-bit words); each offset from the channel's start.
// Kernel: sleep(nanoseconds), alarm(nanoseconds from now).
template <class Memory, class Kernel>
class HostServer {
public:
  struct Answer {
    std::uint64_t to = 0;  // process; 0: nobody
    std::uint64_t status = 0, word = 0;
    std::size_t bytes = 0;  // of buffer()
  };

  // False: this is no channel, and the server refuses everything.
  bool start() {
    present_ = Memory::read(ChannelWord::Magic) == channel_magic;
    if (!present_) return false;
    output_ = {.offset = Memory::read(ChannelWord::OutputOffset),
               .bytes = Memory::read(ChannelWord::OutputBytes)};
    input_ = {.offset = Memory::read(ChannelWord::InputOffset),
              .bytes = Memory::read(ChannelWord::InputBytes)};
    wanted_ = {.offset = Memory::read(ChannelWord::WantedOffset),
               .bytes = Memory::read(ChannelWord::WantedBytes)};
    present_ = fits(output_) && fits(input_) && wanted_.offset <= channel_bytes &&
               wanted_.bytes <= channel_bytes - wanted_.offset;
    return present_;
  }

  // Where a message's bytes arrive, and an answer's bytes stand. They may use all of it.
  [[nodiscard]] std::span<char> buffer() { return std::span{frame_}.subspan(sizeof(FrameHeader)); }

  void notified(std::uint64_t notes) {
    if ((notes & REPRISE_NOTE_ALARM) != 0) alarm_set_ = false;
  }

  void requested(std::uint64_t process, std::uint64_t operation, std::uint64_t first,
                 std::uint64_t second, std::size_t bytes) {
    at_once_ = {.to = process, .status = service::Unknown};
    if (!present_) return;
    switch (operation & 0xff) {
      case service::host_send:
        send({.kind = static_cast<std::uint32_t>(operation >> 8 & 0xff),
              .bytes = static_cast<std::uint32_t>(bytes),
              .process = static_cast<std::uint32_t>(process),
              .detail = static_cast<std::uint32_t>(operation >> 32),
              .words = {first, second}});
        at_once_.status = service::Ok;
        return;
      case service::host_read: return want_input(process, first, second);
      case service::host_wanted: return give_wanted(first);
      default: return;
    }
  }

  // Whom the next RECEIVE answers, if anybody. Called once before each.
  [[nodiscard]] Answer answer() {
    const Answer result = at_once_;
    at_once_ = {};
    if (result.to != 0 || reader_ == 0) return result;
    if (available() == 0 && !ended_) {
      look_later();
      return result;
    }
    const std::uint64_t reader = reader_;
    reader_ = 0;
    return input_for(reader, most_);
  }

private:
  struct Ring {
    std::uint64_t offset = 0, bytes = 0;
  };
  static constexpr std::uint64_t millisecond = 1'000'000;
  static constexpr std::uint64_t word_bytes = sizeof(std::uint64_t);

  [[nodiscard]] static bool fits(const Ring& ring) {
    const bool whole = ring.offset % word_bytes == 0 && ring.bytes % word_bytes == 0;
    return whole && ring.bytes > sizeof(FrameHeader) + REPRISE_MESSAGE_BYTES &&
           ring.offset <= channel_bytes && ring.bytes <= channel_bytes - ring.offset;
  }

  void send(const FrameHeader& header) {
    __builtin_memcpy(frame_.data(), &header, sizeof header);
    const std::size_t length = sizeof header + header.bytes;
    for (std::uint64_t pause = millisecond; output_.bytes - (written_ - read_) < length;) {
      read_ = Memory::read(ChannelWord::OutputRead);
      if (output_.bytes - (written_ - read_) >= length) break;
      Kernel::sleep(pause);
      pause = pause < 32 * millisecond ? pause * 2 : pause;
    }
    const auto frame = std::as_bytes(std::span{frame_}.first(length));
    const std::uint64_t at = written_ % output_.bytes;
    const std::size_t before_end = output_.bytes - at < length ? output_.bytes - at : length;
    Memory::store(output_.offset + at, frame.first(before_end));
    if (before_end < length) Memory::store(output_.offset, frame.subspan(before_end));
    written_ += length;
    Memory::write(ChannelWord::OutputWritten, written_);
  }

  // Looks at the host's words only when what is known does not do: each look ends a PE.
  std::uint64_t available() {
    if (arrived_ == taken_ && !ended_) {
      ended_ = Memory::read(ChannelWord::InputEnded) != 0;  // first: it is set behind the last byte
      arrived_ = Memory::read(ChannelWord::InputWritten);
    }
    return arrived_ - taken_;
  }

  void want_input(std::uint64_t process, std::uint64_t most, std::uint64_t flags) {
    if (available() != 0 || ended_) {
      at_once_ = input_for(process, most);
    } else if ((flags & service::host_read_now) != 0) {
      at_once_.status = service::WouldBlock;
    } else if (reader_ == 0) {
      reader_ = process;
      most_ = most;
      pause_ = millisecond;
      at_once_ = {};
    }
  }

  [[nodiscard]] Answer input_for(std::uint64_t process, std::uint64_t most) {
    const std::uint64_t there = available();
    const std::size_t bytes = take_input(most < there ? most : there);
    return {.to = process, .status = service::Ok, .word = there, .bytes = bytes};
  }

  // Copies bytes of the channel to the buffer, as many as fit, and says how many. Device memory is
  // read by whole words.
  std::size_t load(std::uint64_t at, std::uint64_t most) {
    const std::uint64_t count = most < REPRISE_MESSAGE_BYTES ? most : REPRISE_MESSAGE_BYTES;
    if (count == 0) return 0;
    const std::uint64_t skipped = at % word_bytes;
    const std::uint64_t words = (skipped + count + word_bytes - 1) / word_bytes;
    Memory::load(at - skipped, std::span{words_}.first(words));
    __builtin_memcpy(buffer().data(), reinterpret_cast<const char*>(words_.data()) + skipped,
                     count);
    return count;
  }

  // Copies the ring's next bytes to the buffer; at most as many as fit and as lie in one piece.
  std::size_t take_input(std::uint64_t most) {
    const std::uint64_t at = taken_ % input_.bytes;
    const std::size_t count =
        load(input_.offset + at, most < input_.bytes - at ? most : input_.bytes - at);
    if (count == 0) return 0;
    taken_ += count;
    Memory::write(ChannelWord::InputRead, taken_);
    return count;
  }

  void give_wanted(std::uint64_t from) {
    at_once_.status = service::Ok;
    if (from < wanted_.bytes) at_once_.bytes = load(wanted_.offset + from, wanted_.bytes - from);
  }

  void look_later() {
    if (alarm_set_) return;
    alarm_set_ = true;
    Kernel::alarm(pause_);
    pause_ = pause_ < 8 * millisecond ? pause_ * 2 : pause_;
  }

  bool present_ = false;
  Ring output_, input_, wanted_;
  std::uint64_t written_ = 0, read_ = 0;   // output: by us, by the host as far as we know
  std::uint64_t arrived_ = 0, taken_ = 0;  // input: by the host as far as we know, by us
  bool ended_ = false;                     // arrived_ is the end
  std::uint64_t reader_ = 0, most_ = 0;    // the process that waits for input; 0: none
  std::uint64_t pause_ = millisecond;      // until the next look for input
  bool alarm_set_ = false;
  Answer at_once_;
  alignas(FrameHeader) std::array<char, sizeof(FrameHeader) + REPRISE_MESSAGE_BYTES> frame_{};
  std::array<std::uint64_t, REPRISE_MESSAGE_BYTES / word_bytes + 1> words_{};
};

}  // namespace drivers
