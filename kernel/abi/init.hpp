// What the kernel and init (process 1, user/init) tell each other in the calls that only init may
// make (docs/abi.md). Both are built from this file, in one tree. Nobody else sees it. It holds
// plain words and copies of the engine's findings: the kernel fills them, init prints them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/abi/guest_exits.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/abi/settings.hpp"  // REPRISE_CONFIGURE
#include "kernel/base/counter.hpp"
#include "kernel/base/interrupt_controllers.hpp"
#include "kernel/base/memory_map.hpp"
#include "libdwc/findings.hpp"

namespace reprise {

inline constexpr std::size_t program_register_words = 376;  // general, then extended
inline constexpr std::size_t guest_register_words = 48;     // a guest's own, behind those
inline constexpr std::size_t register_words = program_register_words + guest_register_words;
inline constexpr std::size_t first_vector_word = 52;  // of XMM0; two words each, up to XMM15
inline constexpr std::size_t most_modules = 64;
inline constexpr std::size_t most_processes = 64;           // at a time, init among them
inline constexpr std::size_t most_injections = 128;         // at a time
inline constexpr std::size_t most_grants = 16;              // of one process
inline constexpr std::size_t most_string_bytes = 64 << 10;  // of one program's argv and environment
inline constexpr std::size_t most_physical_bytes = 64 << 10;    // of one REPRISE_PHYSICAL_READ
inline constexpr std::uint64_t slowest_clock = 1'000'000;       // hertz, for REPRISE_CLOCK
inline constexpr std::uint64_t fastest_clock = 10'000'000'000;  // scale() is exact up to it
inline constexpr unsigned highest_priority = 7;
inline constexpr std::uint64_t init_number = 1;
inline constexpr std::uint64_t no_archive = ~std::uint64_t{0};
inline constexpr std::int64_t news_of_flip = 1
                                             << 16;  // of REPRISE_NEWS; no process has this number

// REPRISE_PROBE: runs init's own code once in ring 3, outside of any PE, up to the next trap. The
// counter counts from 0 meanwhile; afterwards the one that was in use is in use again. The code may
// write to pages that init has written to in the PE before.
struct CounterProbe {
  enum class Ending : std::uint64_t {  // in the order of arch::Trap::Kind
    SystemCall,
    Exception,
    Timer,
    Counter,
    Step,
    Break,
    Device,
    NonMaskable,
    MachineCheck,
    None  // before the probe
  };
  CounterSettings counter;
  std::uint64_t time = 0;        // nanoseconds until the Timer trap, from 1
  std::uint64_t stop = 0;        // count at which the Counter trap comes; 0: none comes
  std::uint64_t steps = 0;       // 1: a Step trap comes after one instruction
  reprise_frame registers{};     // before the probe; the call stores those after it
  std::uint64_t count = 0;       // result: instructions
  Ending ending = Ending::None;  // result
};

// The fate of a flip. DiedOut: it was overwritten or never used, so both runs agreed. Caught: the
// runs differed. Stopped: they differed until the context was stopped.
// NoTarget: there was nothing to hit. The last three are the kernel's own states.
enum class FlipFate : std::uint8_t { DiedOut, Caught, Stopped, NoTarget, Free, Planned, Struck };
using FlipCounts = std::array<std::uint64_t, 3>;  // of the first three

// REPRISE_MACHINE.
struct MachineReport {
  std::uint64_t total_memory, free_memory;
  std::uint64_t longest_wait, longest_pe;  // nanoseconds
  FlipCounts flips;
  // Rate of the local APIC's timer; 0: it does not move. Until REPRISE_CLOCK the kernel assumes
  // that the time stamp runs at 1 GHz. So until then this is the timer's ticks in 10^9 time-stamp
  // ticks.
  std::uint64_t timer_hertz;
  std::uint64_t modules;
  std::uint64_t boot_address, boot_bytes;  // the boot loader's information; a physical address
};

// REPRISE_INJECT: one bit to flip on purpose, once.
struct Injection {
  enum class Target : std::uint8_t {
    Register,
    Page,
    UnmodifiedPage,
    SnapshotRegister,
    SnapshotPage
  };
  // When in the run. Start: before its first instruction. End: after its last one, before anything
  // is compared. Offset: after `offset` instructions, as exactly as the counter can stop there.
  enum class Moment : std::uint8_t { Start, End, Offset };
  std::uint64_t process = 0;  // its number
  std::uint64_t element = 1;  // PE of that process, from 1; if random: counted from its last PE
  std::uint64_t run = 1;      // 1 or 2
  // For page targets, from 0: the K-th page that the run has modified or, of an unmodified page,
  // the K-th that it could modify and has not.
  std::uint64_t page = 0;
  std::uint64_t word = 0;    // register word, or word of the page 0..511
  std::uint64_t bit = 0;     // 0..63
  std::uint64_t offset = 0;  // N, from 1; for Moment::Offset
  Target target = Target::Register;
  Moment moment = Moment::Start;
  // 1: a random flip. `page` then chooses among the pages that there are. If the run is shorter
  // than the offset, the flip strikes at its end.
  std::uint64_t random = 0;
  FlipFate fate = FlipFate::Free;

  [[nodiscard]] bool is_register() const {
    return target == Target::Register || target == Target::SnapshotRegister;
  }
  [[nodiscard]] bool is_snapshot() const { return target >= Target::SnapshotRegister; }
};

// REPRISE_START.
struct ProgramRequest {
  std::uint64_t module = 0, archive = no_archive;  // boot modules, from 0
  std::uint64_t hardened = 1, priority = 0;
  std::uint64_t strings = 0, string_bytes = 0;  // argv, then the environment, each with its NUL
  std::uint64_t argument_count = 0, environment_count = 0;
  std::uint64_t stream_server = 0, stream_rights = 0;  // for struct reprise_start
  // The process whose guest this is; 0: it is a program. A guest has no module, archive or strings.
  std::uint64_t monitor = 0;
  std::uint64_t grant_count = 0;
  std::array<reprise_grant, most_grants> grants{};
};

struct CodeBytes {
  std::uint64_t count = 0;
  std::array<std::uint8_t, 16> bytes{};
};

// The device access that ended a process, and why it was not carried out.
struct AccessRefusal {
  enum class Reason : std::uint8_t { None, NotGranted, Unsupported } reason = Reason::None;
  std::uint64_t first = 0, last = 0;  // ports, or addresses
};

// REPRISE_STATUS.
struct ProcessReport {
  std::uint64_t ended = 0, exit_status = 0;
  dwc::PeEnd last_end{};       // of its last PE
  std::uint64_t rip = 0;       // where it stands: after a mismatch, the PE's start
  std::uint64_t refusal = 0;   // Error + 1 if its file cannot be run
  AccessRefusal refused{};     // valid if `last_end` is an exception that ended the process
  std::uint64_t standing = 0;  // 1: a mismatch ended it; `diagnosis` describes it
  std::uint64_t elements = 0;
  std::uint64_t user_time = 0;  // nanoseconds
  GuestExits exits{};           // of a guest
  std::uint64_t hardened = 0;   // 1: all that follows is valid
  std::uint64_t margin = 0;
  std::array<CodeBytes, 3> code;  // of a standing mismatch: where each run stood, and its culprit
  dwc::Statistics statistics;
  dwc::Diagnosis<PageNumber> diagnosis;
};

}  // namespace reprise
