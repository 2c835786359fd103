// A guest's virtual CPU. The engine runs it like a program: run_user(), save_rest() and load_rest()
// take a UserState that belongs to a virtual CPU, too, and their traps look alike. A nested page
// fault is a page fault whose address is guest-physical. What the guest may not do by itself is a
// Trap::Kind::Exit. docs/guests.md has the whole picture.
//
// The kind of processor extension behind it (AMD's SVM today) is known to arch/x86_64 alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "arch/page_table.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

namespace x86 {
struct Vmcb;
}

enum class GuestSupport : std::uint8_t {
  Present,
  NoVirtualization,  // the CPU has no SVM
  NoNestedPaging,
  Locked,    // by the firmware
  NoMemory,  // the CPU needs two frames of its own to run guests
};

// Whether this CPU runs guests. The first call switches the extension on.
[[nodiscard]] GuestSupport start_guests(reprise::FrameSource& frames);

// Why a guest cannot go on by itself. The numbers are those of EXITCODE (AMD APM Vol. 2 appendix
// C).
enum class GuestExit : std::uint32_t {
  WriteCr8 = 0x18,
  ReadDr0 = 0x20,  // and so on to DR15
  WriteDr15 = 0x3f,
  Window = 0x64,     // the guest can take an interrupt
  TimeStamp = 0x6e,  // RDTSC
  PerformanceCounter = 0x6f,
  Cpuid = 0x72,
  InvalidateCaches = 0x76,
  Halt = 0x78,
  InputOutput = 0x7b,  // the trap's fault_address is EXITINFO1
  Msr = 0x7c,          // the trap's fault_address: 0 RDMSR, 1 WRMSR
  Shutdown = 0x7f,
  Call = 0x81,         // VMMCALL
  TimeStampP = 0x87,   // RDTSCP
  SetExtended = 0x8d,  // XSETBV
  Invalid = 0xffffffff,
};

class VirtualCpu {
public:
  // Nothing: memory is exhausted. start_guests() has returned Present.
  [[nodiscard]] static std::optional<VirtualCpu> create(reprise::FrameSource& frames,
                                                        const PageTable& nested);
  VirtualCpu(VirtualCpu&& other) noexcept
      : block_{other.block_}, frames_{std::exchange(other.frames_, nullptr)} {}
  VirtualCpu(const VirtualCpu&) = delete;
  VirtualCpu& operator=(const VirtualCpu&) = delete;
  ~VirtualCpu();

  [[nodiscard]] x86::Vmcb& block() const;
  [[nodiscard]] reprise::FrameNumber block_frame() const { return block_; }

  // The guest's translations may be out of date: they are dropped before it runs on.
  bool stale = true;
  // What the control block has no place for: XCR0 and the addresses of the guest's breakpoints.
  std::uint64_t xcr0 = 0;
  std::array<std::uint64_t, 4> breakpoints{};

private:
  VirtualCpu(reprise::FrameNumber block, reprise::FrameSource& frames)
      : block_{block}, frames_{&frames} {}
  reprise::FrameNumber block_;  // what the CPU keeps of the guest: the VMCB
  reprise::FrameSource* frames_;
};

}  // namespace arch
