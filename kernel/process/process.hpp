// A process: its memory, its registers, the engine that runs each of its processing elements
// twice, and what the scheduler must know. A process is changed only between its processing
// elements; whatever the kernel does to its pages reaches the engine through page_changes().
// Next: loader.hpp fills one, kernel/context/element.hpp runs one.
#pragma once

#include <array>
#include <cstdint>
#include <new>
#include <optional>

#include "arch/boot_info.hpp"
#include "arch/direct_map.hpp"
#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/context/turn.hpp"
#include "kernel/dwc/core.hpp"
#include "kernel/dwc/space.hpp"
#include "kernel/memory/address_space.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/process/grants.hpp"
#include "libdwc/controller.hpp"

namespace reprise {

class Injector;
class Process;

using Engine = dwc::Controller<KernelSpace, KernelCore>;

enum class ProcessStatus : std::uint8_t { Ready, Sleeping, Calling, Receiving, Ended };

// Exit statuses that the kernel itself gives, as a shell would: 128 + signal.
inline constexpr std::uint8_t status_refused = 127;  // the program's file cannot be run
inline constexpr std::uint8_t status_faulted = 128;  // an exception; init adds the signal
inline constexpr std::uint8_t status_killed = 137;   // out of memory, as by SIGKILL
inline constexpr std::uint8_t status_stopped = 135;  // a mismatch that restarts did not cure

struct ExceptionHandler {
  UserAddr entry;  // 0: none
  UserAddr frame;
};

// Where a process stands in its conversations with others and with the kernel. The message itself
// stays in the registers and the buffer of who sends it: it waits in its call.
struct Mailbox {
  static constexpr Nanoseconds never{~std::uint64_t{0}};

  Process* server = nullptr;  // whom its REPRISE_CALL waits for
  bool received = false;      // by the server, which has not answered yet
  std::uint64_t called = 0;   // when, in calls of all processes: first come, first served
  std::uint64_t notes = 0;    // what it is still to be told, REPRISE_NOTE_...
  Nanoseconds alarm = never;
};

class Process final : public PageObserver {
public:
  Process(std::uint64_t id, const ProgramRequest& request, AddressSpace space, FrameSource& frames,
          Injector& injector, const KernelSettings& settings);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] AddressSpace& space() { return space_; }
  [[nodiscard]] arch::UserState& registers() { return live_; }
  [[nodiscard]] const arch::UserState& registers() const { return live_; }
  [[nodiscard]] bool hardened() const { return engine_.has_value(); }
  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] KernelCore& core() { return core_; }

  // A driver of the console, or init, which needs them to tell anything. Only these run while the
  // log is crowded.
  [[nodiscard]] bool sends_log() const { return grants.allow(REPRISE_GRANT_LOG, 0, 0); }
  void page_changes(PageNumber page) override;

  // Nanoseconds in ring 3; of the hardened in first runs, with the write faults taken there, as the
  // time limit counts.
  [[nodiscard]] std::uint64_t own_time() const {
    if (!engine_) return report.user_time;
    return engine_->statistics().ticks.first_run + engine_->statistics().ticks.fault;
  }

  // The process is over: its memory goes back at once.
  void end(std::uint8_t status);

  ProcessStatus status = ProcessStatus::Ready;
  Turn turn;
  Nanoseconds wake_at{};  // while Sleeping
  bool told = false;      // init knows of its end
  ProcessReport report{};
  arch::MemoryRange program_file{};  // the boot module, for REPRISE_MAP_FILE
  UserAddr syscall_entry{};          // personality's entry for SYSCALLs from elsewhere; 0: none
  ExceptionHandler exception_handler{};
  Grants grants;  // filled before the process first runs
  Mailbox mailbox;

private:
  std::uint64_t id_;
  AddressSpace space_;
  arch::UserState live_{}, start_{}, first_{};
  std::array<dwc::PageEntry<KernelSpace>, most_pe_pages> pages_{};
  KernelSpace engine_space_;
  KernelCore core_;
  std::optional<Engine> engine_;
};

// All processes of this boot, in the order in which they were started; init is the first.
class ProcessTable {
public:
  static constexpr std::size_t capacity = arch::max_modules;  // one program a module at most

  // Nothing when there is no memory for one. What a process is itself stays when it ends.
  template <class... Arguments>
  Process* add(FrameAllocator& frames, Arguments&&... arguments) {
    REPRISE_ASSERT(count_ < capacity);
    const auto first = frames.allocate_adjacent(round_up(sizeof(Process)) >> page_shift);
    if (!first) return nullptr;
    void* const place = arch::frame_words(*first).data();
    return slots_[count_++] = new (place) Process{static_cast<Arguments&&>(arguments)...};
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Process& operator[](std::size_t index) { return *slots_[index]; }
  // By number, from 1; nothing when there never was one.
  [[nodiscard]] Process* find(std::uint64_t number) {
    return number - 1 < count_ ? slots_[number - 1] : nullptr;
  }

private:
  std::array<Process*, capacity> slots_{};
  std::size_t count_ = 0;
};

}  // namespace reprise
