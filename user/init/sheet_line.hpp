// A line of the sheet (sheet.hpp): its number, its text, and a check of both, so that an error of
// somebody who types it from a photograph is noticed. scripts/bench --read reads it.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/base/text_line.hpp"

namespace reprise {

// CRC-16/XMODEM: polynomial 1021h. It finds each error within 16 adjacent bits, so each wrong
// character and each two neighbours that change places. A longer text's check comes of its parts:
// `before` is that of the text before.
[[nodiscard]] constexpr std::uint16_t check_of(std::string_view text, std::uint16_t before = 0) {
  std::uint32_t remainder = before;
  for (const char c : text) {
    remainder ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder << 1 ^ ((remainder & 0x8000) != 0 ? 0x1021u : 0u);
    }
    remainder &= 0xffff;
  }
  return static_cast<std::uint16_t>(remainder);
}

// The check as four hexadecimal digits.
[[nodiscard]] TextLine digits_of(std::uint16_t check);

// "07 TEXT #1a2b": a number of at least two digits, the text, and the check of "07 TEXT".
[[nodiscard]] TextLine sheet_line(std::uint64_t number, std::string_view text);

}  // namespace reprise
