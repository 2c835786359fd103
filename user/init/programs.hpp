// The programs of this boot: init starts one for each module whose string names one. A module that
// cannot be used is reported, and the others run all the same. No program runs before init waits,
// because init's priority is above all others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "user/init/boot_info.hpp"
#include "user/init/drivers.hpp"
#include "user/init/guests.hpp"
#include "user/init/module_string.hpp"
#include "user/init/settings.hpp"

namespace reprise {

// What the final report adds up.
struct ProgramTotals {
  std::uint64_t elements = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t restarts = 0;
  std::uint64_t standing = 0;
};

struct Program {
  std::array<char, 32> name{};
  std::uint64_t process = 0;  // its number
  std::uint64_t exit_status = 0;
  bool driver = false;        // serves the others: the machine does not wait for its end
  bool sends_log = false;     // is granted the log
  bool makes_guests = false;  // is granted guests
  bool guest = false;         // ends with its monitor, and its status is no program's
  bool stopped = false;       // by stop.after=, which is no failure
  bool ended = false;
  bool standing = false;  // stopped by a mismatch
  ProgramTotals totals;   // once it has ended: the kernel has forgotten it then

  [[nodiscard]] std::string_view called() const { return name.data(); }
  [[nodiscard]] bool failed() const { return exit_status != 0 && !guest; }
  // Random flips planned at a time.
  [[nodiscard]] std::uint64_t flips_ahead() const { return sends_log ? 16 : 1; }
};

// What a program's start depends on, beside its module.
struct StartFacts {
  const BootFacts& boot;
  const FoundDevices& devices;
  const Settings& settings;
};

class Programs {
public:
  // Starts the programs of the next stage among the modules (module_string.hpp); the drivers belong
  // to the first. Returns those that are started; nothing: there is no further stage.
  [[nodiscard]] std::optional<std::span<Program>> start_stage(const StartFacts& facts);
  [[nodiscard]] std::span<Program> all() { return std::span{programs_}.first(count_); }
  // The guest that the monitor asks for, as a list of one. Empty: it cannot be made, and a line has
  // said why.
  [[nodiscard]] std::span<Program> start_guest(const Program& monitor, const Settings& settings);
  [[nodiscard]] Program* find(std::uint64_t process);
  [[nodiscard]] Program* find_called(std::string_view name);
  // Whether a module names such a program, started or not, or its string cannot be read.
  [[nodiscard]] bool was_meant(std::string_view name, const BootFacts& boot) const;

  // Reports what cannot be used; `subject` is a module's or a program's name.
  void fail(Error error, std::string_view subject);
  [[nodiscard]] std::optional<Error> first_error() const { return first_error_; }

private:
  void find_archive(std::uint64_t module, const BootFacts& boot);
  // The driver for programs' standard streams comes first, as the others are told its number.
  void start_stream_server(const StartFacts& facts);
  bool start_one(std::uint64_t module, const ModulePurpose& purpose, const StartFacts& facts);
  bool configure_stage(const ModulePurpose& purpose, const StartFacts& facts);
  // Nothing: the process is started.
  std::optional<Error> start_process(std::uint64_t module, const BootFacts& boot,
                                     const ModulePurpose& purpose, const DriverStart& facts,
                                     const Settings& settings);

  [[nodiscard]] std::optional<TextLine> free_guest_name();
  Program& add(std::string_view name, std::uint64_t process, const Settings& settings);

  std::array<Program, most_modules + most_guests> programs_{};
  std::size_t stages_ = 0;  // that have begun
  std::size_t count_ = 0;
  std::uint64_t archive_ = no_archive;
  std::uint64_t stream_server_ = 0;  // number of a process; 0: the console
  bool main_started_ = false;        // the program that has the standard input
  std::optional<Error> first_error_{};
};

}  // namespace reprise
