// The calls that only init may make, as functions (kernel/abi/init.hpp, docs/abi.md). A call that
// must not fail ends init when it does, and with init the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/abi/init.hpp"
#include "kernel/base/exit_code.hpp"

namespace reprise {

void configure(const KernelSettings& settings);
void use_counter(const CounterSettings& settings);
void probe_counter(CounterProbe& probe);              // as CounterProbes::run
[[nodiscard]] const MachineReport& machine_report();  // as it is now; one object
// Copies what firmware or boot loader left at a physical address. False: it cannot be read.
[[nodiscard]] bool read_physical(std::uint64_t address, std::span<std::byte> to);
// Sets how fast the time stamp and the timer run. The time since `stamp` does not count.
void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp);
[[nodiscard]] bool inject(const Injection& injection);
[[nodiscard]] std::int64_t start_program(const ProgramRequest& request);  // its number, or an error
// A process that has ended, or a flip whose fate is known; each is reported once.
struct News {
  std::uint64_t ended = 0;
  std::optional<Injection> flip;
};
[[nodiscard]] std::optional<News> take_news();
void forget_injections();
[[nodiscard]] const ProcessReport& process_report(std::uint64_t process);  // one object
// The process has ended and its report was read: the kernel may use its place again.
void release_process(std::uint64_t process);
bool end_process(std::uint64_t process);  // false: it has ended by itself
// Lets the devices' interrupts in. Init calls it once, before it starts a program that was granted
// one. The result is the number of the I/O APICs' inputs, with local_x2apic.
[[nodiscard]] std::uint64_t start_interrupts(InterruptControllers controllers);
void finish_output();  // waits, some seconds at most, until the drivers have sent all text
[[noreturn]] void exit_machine(ExitCode code);
[[noreturn]] void reset_processor();

}  // namespace reprise
