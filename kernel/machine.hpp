// All that the kernel keeps, one of each. It is the only mutable object of kernel/. Boot makes it
// first (kernel/the_machine.hpp) and fills it on the way up.
#pragma once

#include <cstdint>

#include "arch/boot_info.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/cpu.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/log/log.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

// Frames kept free for init, so that it can tell how memory ran out.
inline constexpr std::uint64_t frames_for_init = 64;

struct Machine {
  const arch::BootInfo* boot = nullptr;
  FrameAllocator frames{};
  FrameNumber zero{};  // a frame of zeros that is never written
  KernelSettings settings = settings_of_init();
  ProcessTable processes{};
  Ipc ipc{processes};
  Log log{};
  FlipTotals flips{};
  Nanoseconds longest_pe{};  // both runs, restarts and all
  bool panicking = false;
  Cpu cpu{};  // the only one

  // The first process.
  [[nodiscard]] Process& init() { return processes[0]; }
  // Starts a process with these strings; errors as Loader::start() has them.
  [[nodiscard]] Result<Process*, reprise_error> start(const ProgramRequest& request,
                                                      std::span<const char> strings);
  // The process is over: its memory goes back, callers that wait for it get an error, and init is
  // told. With init it is the machine's end.
  void end(Process& process, std::uint8_t status);

private:
  void end_guests_of(std::uint64_t monitor);
  [[noreturn]] void end_with_init(const Process& init);
};

}  // namespace reprise
