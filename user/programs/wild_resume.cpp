// RESUME with frames that ask for rights that ring 3 must not have.
#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/exceptions.hpp"
#include "user/lib/instructions.hpp"
#include "user/programs/wild.hpp"

namespace {

constinit reprise_frame frame{};
constinit volatile bool arrived = false;
constinit std::uint64_t flags_seen = 0;
constinit reprise_frame back{};  // where the test goes on, from an exception's frame

// The kernel's privileges and the interrupt flag, the virtual modes: none may come from a frame.
constexpr std::uint64_t interrupts = 1u << 9;
constexpr std::uint64_t privileges = 3u << 12;
constexpr std::uint64_t virtual_modes = 1u << 16 | 1u << 17 | 1u << 19 | 1u << 20;

std::uint64_t flags() {
  std::uint64_t value = 0;
  asm volatile("pushfq; popq %0" : "=r"(value));
  return value;
}

void continue_here() {
  arrived = true;
  flags_seen = flags();
  user::resume(back);
}

void handle(reprise_frame& where) {
  back = where;
  where.rip = reinterpret_cast<std::uint64_t>(continue_here);
  where.rsp = (where.rsp - 4096) / 16 * 16 - 8;  // as behind a call
  where.rflags = privileges | virtual_modes;     // and no interrupts
}

// A function of its own: its caller expects the vector registers to be changed.
[[gnu::noinline]] void take_the_detour() { user::breakpoint(); }

}  // namespace

void check_wild_resume() {
  frame.rip = 0x0000800000000000;  // not canonical: an IRET to it would fault in the kernel
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_RESUME, reinterpret_cast<std::uint64_t>(&frame));
  frame.rip = 0xffffffff80000000;
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_RESUME, reinterpret_cast<std::uint64_t>(&frame));

  user::handle_exceptions(handle);
  take_the_detour();
  user::stop_handling_exceptions();
  REPRISE_CHECK(arrived);
  REPRISE_CHECK((flags_seen & interrupts) != 0);
  REPRISE_CHECK((flags_seen & (privileges | virtual_modes)) == 0);
}
