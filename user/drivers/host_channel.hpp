// The channel to the host: device memory that the host's QEMU shares with a process on the host
// (PCI device 1af4:1110, "ivshmem-plain"; scripts/lib/reprise/channel.py is the other end). It has
// a ring of frames out, a ring of bytes in, and a list of the files that are to come back. Nothing
// in it raises interrupts. Each side writes its own words only. All words are little-endian.
//
// Why not a serial port: a port takes one byte at a time, and each byte is a step of its own after
// the commit. REPRISE_DEVICE_WRITE copies a whole frame into memory, once, after the commit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drivers {

inline constexpr std::uint64_t channel_magic = 0x31'54'53'4f'48'50'52'52;  // "RRPHOST1"
inline constexpr std::uint64_t channel_bytes = 16 << 20;                   // all of it

// Indexes of 64-bit words from the channel's start on. Offsets count from there, too. Positions in
// the rings count bytes since the boot; position P lies at P modulo the ring's size.
enum class ChannelWord : std::uint8_t {
  Magic,
  OutputOffset,
  OutputBytes,
  InputOffset,  // a multiple of 8
  InputBytes,   // a multiple of 8
  WantedOffset,
  WantedBytes,
  InputWritten,   // position, by the host
  InputEnded,     // by the host: 1: InputWritten is the end
  OutputRead,     // position, by the host
  OutputWritten,  // position, by the driver
  InputRead,      // position, by the driver
};

// What a frame out brings. File and all that follows are one process's answer to host_wanted.
enum class FrameKind : std::uint8_t {
  Output = 1,     // bytes of the standard output
  Errors = 2,     // bytes of the standard error output
  File = 3,       // bytes: its name; detail: mode; first word: size, second: when it was modified
  FileBytes = 4,  // the next bytes of that file
  Directory = 5,  // bytes: its name; detail: mode
  Link = 6,       // bytes: its name, NUL, where it leads to
  Missing = 7,    // bytes: a name that was asked for and is not there
  FilesEnd = 8,   // all files have come
};

struct FrameHeader {
  std::uint32_t kind = 0, bytes = 0;  // `bytes` follow the header
  std::uint32_t process = 0, detail = 0;
  std::uint64_t words[2]{};
};
static_assert(sizeof(FrameHeader) == 32);

}  // namespace drivers
