// The personality's facts about its one process.
#pragma once

#include <cstdint>

#include "kernel/abi/reprise.h"

namespace personality {

inline constexpr std::uint64_t page_bytes = REPRISE_PAGE_SIZE;

struct Process {
  reprise_start start;
  std::uint64_t fs_base, gs_base;
  const char* executable;        // AT_EXECFN, or argv[0]
  bool terminal;                 // REPRISE_TTY=1 in the environment: 0, 1 and 2 are terminals
  char name[16];                 // PR_SET_NAME
  std::uint32_t file_mode_mask;  // umask
  std::uint32_t groups;          // of setgroups; all are root's
  bool not_dumpable, no_new_privileges;  // only prctl itself asks for them
};

[[nodiscard]] Process& process();
[[nodiscard]] inline std::uint64_t process_number() { return process().start.process; }

constexpr std::uint64_t page_down(std::uint64_t value) { return value & ~(page_bytes - 1); }
constexpr std::uint64_t page_up(std::uint64_t value) { return page_down(value + page_bytes - 1); }

}  // namespace personality
