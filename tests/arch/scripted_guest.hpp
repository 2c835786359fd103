// A guest whose stays are a script, in the place of guest_switch.asm; and what run_guest() asks of
// the rest of arch meanwhile, written down. There is no counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "arch/run_user.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "tests/arch/fake_memory.hpp"

namespace scripted_guest {

struct World;
// What a guest does from its entry to its next stop.
using Stay = std::function<void(World&, arch::x86::GuestSwitch&)>;

// One guest, on a fake CPU of its own.
struct World {
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] arch::x86::Vmcb& block() { return virtual_cpu->block(); }
  // Runs the guest to the next trap. Fails unless that takes the whole script.
  arch::Trap run(std::deque<Stay> script);

  FakeMemory frames;
  std::optional<arch::PageTable> table;
  std::optional<arch::VirtualCpu> virtual_cpu;
  arch::UserState state;
  std::deque<Stay> stays;
  std::vector<std::uint8_t> handled;  // interrupts
  std::vector<std::uint64_t> timers;  // nanoseconds for which each was armed
  std::size_t kicks = 0;
  bool expired = true;  // what take_timer_expiry() says
};

// A stay that ends with this exit code, EXITINFO1 and EXITINFO2.
[[nodiscard]] Stay stops(std::uint64_t code, std::uint64_t info = 0, std::uint64_t next = 0);
[[nodiscard]] Stay stops(arch::GuestExit code, std::uint64_t info = 0, std::uint64_t next = 0);
// A physical interrupt waits: kernel_trap() would note it.
[[nodiscard]] Stay interrupted_by(std::uint8_t vector);

constexpr std::uint64_t nested_fault = 0x400;  // an exit code
constexpr std::uint64_t code_at = 0x7000;
constexpr std::uint64_t debug_event =
    arch::x86::GuestEvent::Valid | arch::x86::GuestEvent::Exception | arch::x86::debug_vector;

}  // namespace scripted_guest
