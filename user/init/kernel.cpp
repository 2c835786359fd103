#include "user/init/kernel.hpp"

#include "kernel/base/assert.hpp"
#include "user/init/output.hpp"
#include "user/lib/calls.hpp"

namespace reprise {
namespace {

using user::raw_call;

template <class T>
std::uint64_t address_of(const T* object) {
  return reinterpret_cast<std::uint64_t>(object);
}

constinit MachineReport the_machine{};
constinit ProcessReport the_process{};

}  // namespace

void configure(const KernelSettings& settings) {
  REPRISE_ASSERT(raw_call(REPRISE_CONFIGURE, address_of(&settings)) == 0);
}

void use_counter(const CounterSettings& settings) {
  REPRISE_ASSERT(raw_call(REPRISE_COUNTER, address_of(&settings)) == 0);
}

void probe_counter(CounterProbe& probe) {
  static_cast<void>(raw_call(REPRISE_PROBE, address_of(&probe)));
}

const MachineReport& machine_report() {
  REPRISE_ASSERT(raw_call(REPRISE_MACHINE, address_of(&the_machine)) == 0);
  return the_machine;
}

bool read_physical(std::uint64_t address, std::span<std::byte> to) {
  while (!to.empty()) {
    const std::size_t bytes = to.size() < most_physical_bytes ? to.size() : most_physical_bytes;
    if (raw_call(REPRISE_PHYSICAL_READ, address, address_of(to.data()), bytes) != 0) return false;
    address += bytes;
    to = to.subspan(bytes);
  }
  return true;
}

void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp) {
  REPRISE_ASSERT(raw_call(REPRISE_CLOCK, stamp_hertz, timer_hertz, stamp) == 0);
}

bool inject(const Injection& injection) {
  return raw_call(REPRISE_INJECT, address_of(&injection)) == 0;
}

std::int64_t start_program(const ProgramRequest& request) {
  return raw_call(REPRISE_START, address_of(&request));
}

std::optional<News> take_news() {
  Injection flip;
  const std::int64_t answer = raw_call(REPRISE_NEWS, address_of(&flip));
  REPRISE_ASSERT(answer >= 0);
  if (answer == 0) return std::nullopt;
  if (answer == news_of_flip) return News{0, flip};
  return News{static_cast<std::uint64_t>(answer), std::nullopt};
}

void forget_injections() { static_cast<void>(raw_call(REPRISE_INJECT, 0)); }

const ProcessReport& process_report(std::uint64_t process) {
  REPRISE_ASSERT(raw_call(REPRISE_STATUS, process, address_of(&the_process)) == 0);
  return the_process;
}

void release_process(std::uint64_t process) {
  REPRISE_ASSERT(raw_call(REPRISE_RELEASE, process) == 0);
}

bool end_process(std::uint64_t process) { return raw_call(REPRISE_END, process, 0) == 0; }

// The kernel refuses the list when an I/O APIC lies where none can be. Then the last one is left
// out, and the others are tried again.
std::uint64_t start_interrupts(InterruptControllers controllers) {
  std::int64_t answer = raw_call(REPRISE_INTERRUPTS, address_of(&controllers));
  for (auto last = controllers.io_apics.rbegin(); answer < 0; ++last) {
    REPRISE_ASSERT(last != controllers.io_apics.rend());
    last->address = 0;
    answer = raw_call(REPRISE_INTERRUPTS, address_of(&controllers));
  }
  return static_cast<std::uint64_t>(answer);
}

void finish_output() {
  constexpr std::int64_t patience = 10'000'000'000, look = 1'000'000;  // nanoseconds
  flush_output();
  const std::int64_t end = user::time() + patience;
  for (std::int64_t now = user::time(); now < end; now = user::time()) {
    if (raw_call(REPRISE_SHUTDOWN, 2) == 1) return;
    raw_call(REPRISE_SLEEP, static_cast<std::uint64_t>(now + look));
  }
}

void exit_machine(ExitCode code) {
  finish_output();
  for (;;) raw_call(REPRISE_SHUTDOWN, 0, static_cast<std::uint64_t>(code));
}

void reset_processor() {
  for (;;) raw_call(REPRISE_SHUTDOWN, 1);
}

// A broken invariant ends init, and with it the machine.
void panic_at(const char* file, int line, const char* what) {
  print_whole_line("[reprise] ", TextLine{"init: broken invariant: ", what, " (", file, ":",
                                          static_cast<unsigned>(line), ")"}
                                     .view());
  flush_output();
  user::exit(1);
}

}  // namespace reprise
