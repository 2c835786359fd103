// A process: what its contexts share. It owns the space, the grants, the program's file and the
// settings under which its contexts run. Today it has one context, made with it and for its life.
// Its name is init's matter (user/init/programs.hpp): the kernel knows it by number.
// Next: process_table.hpp, all processes; loader.hpp, which fills one.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/boot_info.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/context/context.hpp"
#include "kernel/memory/address_space.hpp"
#include "kernel/process/grants.hpp"

namespace reprise {

// Exit statuses that the kernel itself gives, as a shell would: 128 + signal.
inline constexpr std::uint8_t status_refused = 127;  // the program's file cannot be run
inline constexpr std::uint8_t status_faulted = 128;  // an exception; init adds the signal
inline constexpr std::uint8_t status_killed = 137;   // out of memory, as by SIGKILL
inline constexpr std::uint8_t status_stopped = 135;  // a mismatch that restarts did not cure

// What the program is, besides its memory.
struct ProgramFacts {
  arch::MemoryRange file{};  // the boot module, for REPRISE_MAP_FILE
  Grants grants{};
};

class Process {
public:
  Process(std::uint64_t number, AddressSpace space, const ProgramFacts& program,
          const ContextSettings& settings, const ContextResources& resources,
          std::optional<Guest> guest = std::nullopt);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() = default;

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const AddressSpace& space() const { return space_; }
  [[nodiscard]] Context& context() { return context_; }
  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] const arch::MemoryRange& file() const { return program_.file; }
  [[nodiscard]] const Grants& grants() const { return program_.grants; }

  // A driver of the log, or init, without which nothing is reported. Only these run while the log
  // is crowded.
  [[nodiscard]] bool sends_log() const;
  [[nodiscard]] bool has_ended() const { return context_.status == ContextStatus::Ended; }

  // Its memory goes back at once. What the process is, and its figures, stay for init to ask.
  void end(std::uint8_t status);

  // What init asks for once it has ended.
  struct Ending {
    std::uint8_t status = 0;
    std::uint64_t refusal = 0;  // error of REPRISE_REFUSE + 1; 0: the file was not refused
    bool reported = false;      // init knows of the end
  };
  Ending ending;

private:
  std::uint64_t number_;
  ProgramFacts program_;
  AddressSpace space_;
  Context context_;
};

}  // namespace reprise
