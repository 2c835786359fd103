// All that the kernel keeps: one of each, made before main() and filled on the way up.
#pragma once

#include "arch/boot_info.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/context/injector.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

inline constexpr std::uint64_t frames_for_init = 64;  // so that it can tell how memory ran out

struct Machine {
  const arch::BootInfo* boot = nullptr;
  FrameAllocator frames{};
  FrameNumber zero{};  // a frame of zeros that is never written
  KernelSettings settings = settings_of_init();
  ProcessTable processes{};
  Ipc ipc{processes};
  Injector injector{};
  Nanoseconds longest_pe{};  // both runs, restarts and all

  // The process is over: its memory goes back, who waits for it gets an error, and init is told;
  // with init it is the machine's end.
  void end(Process& process, std::uint8_t status);
};

}  // namespace reprise
