// The registers of a context (the design's UPRR), a program or a guest: all that two runs of a
// processing element must agree on besides memory. One flat sequence of 64-bit words, so that it is
// copied, compared and checked word by word like a page. Next: arch/run_user.hpp, which runs one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace arch {

// Names of the general words, in the order in which they are stored.
enum class Register : std::uint8_t {
  Rax,
  Rbx,
  Rcx,
  Rdx,
  Rsi,
  Rdi,
  Rbp,
  Rsp,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  Rip,
  Rflags,
  FsBase,
  GsBase,
  Cs,
  Ss,
  Ds,
  Es,
  Fs,
  Gs,
  count
};

inline constexpr std::size_t general_words = 32;    // the registers above, padded with zero words
inline constexpr std::size_t extended_words = 344;  // XSAVE standard format up to PKRU: 2,696 bytes
inline constexpr std::size_t guest_words = 48;      // arch/guest_state.hpp

class VirtualCpu;
enum class GuestWord : std::uint8_t;

struct alignas(64) UserState {
  std::array<std::uint64_t, general_words> general{};
  std::array<std::uint64_t, extended_words> extended{};  // canonical: see save_rest()
  std::array<std::uint64_t, guest_words> guest{};        // in use only with a virtual CPU
  VirtualCpu* virtual_cpu = nullptr;  // whose state this is; nullptr: a program's

  [[nodiscard]] std::uint64_t& operator[](Register r) {
    return general[static_cast<std::size_t>(r)];
  }
  [[nodiscard]] std::uint64_t operator[](Register r) const {
    return general[static_cast<std::size_t>(r)];
  }
  [[nodiscard]] std::uint64_t& operator[](GuestWord w) {
    return guest[static_cast<std::size_t>(w)];
  }
  [[nodiscard]] std::uint64_t operator[](GuestWord w) const {
    return guest[static_cast<std::size_t>(w)];
  }
  // The words in use. Of a program: the general ones, then as much of the XSAVE (or FXSAVE) image
  // as this machine has. Of a guest: all.
  [[nodiscard]] std::span<std::uint64_t> words();
  [[nodiscard]] std::span<const std::uint64_t> words() const;
  // Whether every word is the same, and the exclusive or of all words: any one flipped bit changes
  // it. A guest's words behind this machine's image, where no register is, do not count. Both use
  // vector registers: only behind save_rest().
  [[nodiscard]] bool same_as(const UserState& other) const;
  [[nodiscard]] std::uint64_t check_word() const;
};
static_assert(sizeof(UserState) <= 4096, "a state fits in one frame");

// A process that has not run yet: all zero but for the selectors, RFLAGS (interrupts on), and the
// extended state in its initial configuration (Intel SDM Vol. 1 §13.6; x87 CW 37Fh, MXCSR 1F80h).
void initialize(UserState& state, std::uint64_t rip, std::uint64_t rsp);

// run_user() keeps the general registers, RIP and RFLAGS up to date by itself; the rest stays in
// the CPU until it is asked for. save_rest() completes the state after a PE's end: segment
// selectors (0 to 3 normalised to 0), FS and GS base, extended state. The image is zeroed before
// XSAVE and every component is stored by value, so that equal states have equal words. load_rest()
// puts all of that into the CPU. Between load_rest() and save_rest() the kernel must not use vector
// registers; load_used() puts back those that it may use behind save_rest(), and touches nothing
// else where it can: what the image does not hold (x87's last addresses) stays in the CPU.
void save_rest(UserState& state);
void load_rest(const UserState& state);
void load_used(const UserState& state);

// The general words become those of `start`, whose load_rest() follows: the rest of `state` is made
// by save_rest(). Uses vector registers, too.
void begin_as(UserState& state, const UserState& start);

// True when ring 3 could not have set RFLAGS so: interrupts off or an I/O privilege raised. A guest
// can.
[[nodiscard]] bool control_bits_corrupt(const UserState& state);

}  // namespace arch
