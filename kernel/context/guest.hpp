// What the context of a guest has beside registers and space: its virtual CPU, its monitor, and its
// time. What stops a guest: kernel/guest/stops.cpp.
#pragma once

#include <cstdint>
#include <utility>

#include "arch/virtual_cpu.hpp"
#include "kernel/abi/guest.h"
#include "kernel/abi/guest_exits.hpp"
#include "kernel/base/address.hpp"

namespace reprise {

struct Guest {
  Guest(arch::VirtualCpu virtual_cpu, std::uint64_t monitor_number)
      : cpu{std::move(virtual_cpu)}, monitor{monitor_number} {}

  arch::VirtualCpu cpu;
  std::uint64_t monitor;           // number of a process
  UserAddr run{};                  // where it has its struct reprise_guest_run, while InGuest
  std::uint64_t deadline = ~0ull;  // guest time at which the guest stops
  std::uint64_t stops = 0;         // instructions that the kernel or the monitor carried out
  GuestExits exits{};              // the same by kind
  std::uint64_t skipped = 0;       // nanoseconds

  void count(GuestExitKind kind) {
    ++stops;
    ++exits[static_cast<std::size_t>(kind)];
  }

  // `own_time` of its context, nanoseconds.
  [[nodiscard]] std::uint64_t time(std::uint64_t own_time) const {
    return own_time + stops * REPRISE_GUEST_STOP_COST + skipped;
  }
};

}  // namespace reprise
