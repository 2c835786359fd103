// guestprobe: makes a guest of a few instructions and prints what stops it. For the kernel's side
// of guests alone: user/monitor runs operating systems.
#include <array>
#include <cstring>

#include "kernel/abi/guest.h"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t memory_bytes = 1 << 20, code_at = 0x1000;

// 32-bit code at code_at, paging off.
constexpr std::array<std::uint8_t, 64> code{
    0xb8, 0x41, 0x00, 0x00, 0x00,  // mov eax, 'A'
    0xe6, 0xe9,                    // out e9h, al
    0xb9, 0x00, 0x10, 0x00, 0x00,  // mov ecx, 1000h
    0xbf, 0x00, 0x00, 0x01, 0x00,  // mov edi, 10000h
    0xf3, 0xab,                    // rep stosd
    0x0f, 0xa2,                    // cpuid
    0x0f, 0x31,                    // rdtsc
    0xb9, 0x40, 0x0d, 0x03, 0x00,  // mov ecx, 200000
    0x83, 0xc3, 0x03,              // again: add ebx, 3
    0x49,                          // dec ecx
    0x75, 0xfa,                    // jnz again
    0x0f, 0x01, 0xd9,              // vmmcall
    0xf4,                          // hlt
    0xeb, 0xfe,                    // jmp $
};

constexpr std::uint16_t code_attributes = 0xc9b, data_attributes = 0xc93;

reprise_guest_segment flat(std::uint16_t selector, std::uint16_t attributes) {
  return {selector, attributes, 0xffffffff, 0};
}

}  // namespace

int main(int, char**) {
  user::Words words{REPRISE_NEW_GUEST, memory_bytes, 0};
  const std::int64_t sent = user::send(REPRISE_INIT, words, {});
  const std::uint64_t guest = words[0];
  user::print("guestprobe: guest ", guest, " (", sent, ")\n");
  if (sent < 0 || guest == 0) return 1;
  user::print("map ", user::raw_call(REPRISE_GUEST_MAP, guest, 0, memory_bytes), "\n");
  user::print("write ",
              user::raw_call(REPRISE_GUEST_WRITE, guest, code_at,
                             reinterpret_cast<std::uint64_t>(code.data()), code.size()),
              "\n");
  static reprise_guest_state state{};
  user::print("state ",
              user::raw_call(REPRISE_GUEST_STATE, guest, reinterpret_cast<std::uint64_t>(&state)),
              "\n");
  state.rip = code_at;
  state.cs = flat(8, code_attributes);
  for (reprise_guest_segment* s : {&state.ss, &state.ds, &state.es, &state.fs, &state.gs}) {
    *s = flat(16, data_attributes);
  }
  state.ldtr = {0, 0x82, 0, 0};
  state.tr = {0, 0x8b, 0xffff, 0};
  state.cr0 |= 1;
  user::print(
      "set ",
      user::raw_call(REPRISE_GUEST_SET_STATE, guest, reinterpret_cast<std::uint64_t>(&state)),
      "\n");
  static reprise_guest_run run{};
  run.deadline = ~0ul;
  for (int i = 0; i < 10; ++i) {
    const std::int64_t ran =
        user::raw_call(REPRISE_GUEST_RUN, guest, reinterpret_cast<std::uint64_t>(&run));
    if (ran < 0) {
      user::print("run ", ran, "\n");
      return 1;
    }
    user::print("stop ", run.reason, " address ", user::Hex{run.address}, " bytes ", run.bytes,
                " write ", run.write, " rax ", user::Hex{run.rax}, " rbx ", user::Hex{run.rbx},
                " rip ", user::Hex{run.rip}, " time ", run.time, "\n");
    if (run.reason == REPRISE_GUEST_HALT) break;
    run.done = 1;
    run.event = 0;
    run.window = 0;
    run.deadline = ~0ul;
    run.skip = 0;
  }
  return 0;
}
