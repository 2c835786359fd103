// The machine below the kernel's policy, for host tests: the contract of arch/ over ordinary memory
// and plain variables. Page tables, decoding and register states are arch/x86_64's own code; time,
// counter, interrupts, serial line and ring 3 are what the test says (tests/kernel/fakes/
// hardware.cpp). Next: kernel.hpp, a whole kernel on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "arch/boot_info.hpp"
#include "arch/run_user.hpp"
#include "kernel/base/counter.hpp"
#include "kernel/base/exit_code.hpp"
#include "kernel/base/interrupt_controllers.hpp"

namespace fakes {

// The ways out of the machine, as exceptions.
struct Exited {
  reprise::ExitCode code;
};
struct WasReset {};

// Frame numbers are far from 0, so that a mix-up of numbers shows.
inline constexpr std::uint64_t first_frame = 0x4000;
inline constexpr std::size_t frame_count = 8192;
inline constexpr std::size_t usable_frames = frame_count - 256;  // behind them lie the modules
inline constexpr std::uint64_t device_start = 0xfe000000, device_bytes = 0x10000;
inline constexpr std::uint64_t firmware_start = 0xf0000, firmware_bytes = 0x20000;

struct Hardware {
  // Ring 3: what the program does from its registers on, up to a trap.
  std::function<arch::Trap(arch::UserState&)> ring_3;
  std::size_t entries = 0;
  bool single_step = false;
  bool ports_open = false;
  std::array<std::optional<std::uint64_t>, 2> breakpoints{};

  std::uint64_t now = 0, stamp = 0;  // nanoseconds; ticks
  std::uint64_t timer_hertz = 1'000'000'000;
  std::array<std::uint64_t, 3> clock{};  // as set_clock() was given it
  std::uint64_t timer = 0;               // nanoseconds armed; 0: not armed

  std::set<reprise::CounterKind> counters{reprise::CounterKind::Landmark};  // those that exist
  reprise::CounterSettings counter{};                                       // in use
  std::uint64_t count = 0, stop = 0;

  std::uint32_t fired = 0, connected = 0, expected = 0;  // interrupt lines, as bits
  std::size_t admissions = 0;
  std::optional<reprise::InterruptControllers> controllers;
  std::uint64_t longest_hold = 0;
  std::vector<std::uint64_t> idled;  // how long each time
  std::function<void()> on_idle;     // what happens meanwhile

  std::string emergency;                     // text on the emergency serial line
  std::optional<std::string> second_serial;  // text on the second one; nothing: it was not started
  std::uint64_t random = 0;
  std::vector<std::byte> device = std::vector<std::byte>(device_bytes);
  std::vector<std::byte> firmware = std::vector<std::byte>(firmware_bytes);
};
inline Hardware hardware;

// As new, with empty memory.
void power_on();

// The usable memory, as the boot loader would describe it, and what lies behind it.
[[nodiscard]] arch::MemoryRange usable_memory();
[[nodiscard]] std::span<std::byte> module_memory();
[[nodiscard]] arch::MemoryRange module_range(std::size_t offset, std::size_t bytes);

// A store of ring 3 by the active page table. The fault, when the hardware does not allow it.
[[nodiscard]] std::optional<arch::Trap> store(std::uint64_t address, std::uint64_t value);
// A load; the page must be there.
[[nodiscard]] std::uint64_t load(std::uint64_t address);

[[nodiscard]] arch::Trap system_call();
[[nodiscard]] arch::Trap general_protection();
[[nodiscard]] arch::Trap page_fault(std::uint64_t address, std::uint32_t error_code);

}  // namespace fakes
