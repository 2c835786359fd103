// The monitor's loop: it lets the guest run, serves what stopped it, and passes on the interrupts
// of its devices, until the guest ends or can go no further. It knows the world only by
// outside.hpp.
#pragma once

#include <array>
#include <cstdint>

#include "user/monitor/computer.hpp"
#include "user/monitor/console.hpp"
#include "user/monitor/outside.hpp"

namespace monitor {

enum class Verdict : std::uint8_t {
  PoweredOff,  // halted with interrupts off
  Reset,
  Status,        // a test guest's own status
  TripleFault,   // before it printed anything
  AbsentMemory,  // it reached for memory that is not there
  NothingWakes,  // halted, and nothing will ever make an interrupt
  InvalidState,
  MemoryGone,
  Standing,
  Ended,  // by init
  CallFailed,
};

struct SessionResult {
  Verdict verdict = Verdict::PoweredOff;
  std::uint8_t status = 0;    // Status
  std::uint64_t address = 0;  // AbsentMemory
  bool is_write = false;      // AbsentMemory
  std::uint64_t rip = 0;
  std::int64_t error = 0;  // CallFailed
  GuestTime time{};
};

class Session {
public:
  Session(GuestProcess& guest, Outside& outside, Computer& computer, ConsoleOutput& output)
      : guest_{guest}, outside_{outside}, computer_{computer}, output_{output} {}

  // Returns when the guest is over. All its output is written then.
  [[nodiscard]] SessionResult run();

private:
  enum class Next : std::uint8_t { GoesOn, Over };

  void prepare();
  Next serve();
  Next serve_io();
  Next serve_string();
  Next look_for_end();
  Next serve_cpuid();
  Next serve_xsetbv();
  Next serve_msr();
  Next serve_halt();
  Next serve_register();
  Next wait_for_interrupt();
  Next raise(std::uint64_t event);
  Next over(Verdict verdict);
  Next call_failed(std::int64_t error);
  void poll_input();
  void feed_console();
  void name_msr(std::uint32_t msr, bool is_write);

  GuestProcess& guest_;
  Outside& outside_;
  Computer& computer_;
  ConsoleOutput& output_;
  ConsoleInput input_;
  bool input_ended_ = false;
  GuestTime now_{};
  GuestTime next_poll_{};
  reprise_guest_run run_{};
  SessionResult result_;
  static constexpr std::size_t most_named = 8;
  std::array<std::uint32_t, most_named> named_{};
  std::size_t named_count_ = 0;
};

}  // namespace monitor
