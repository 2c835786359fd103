// Where the kernel begins, once boot/ has brought the processor into long mode: a list, one line a
// step. It ends with init, the first process (user/init), which does all that has to do with text.
// Read on in supervisor.cpp, which is where the kernel spends its life.
#include <cstdint>

#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/descriptor_tables.hpp"
#include "arch/extended_state.hpp"
#include "arch/features.hpp"
#include "arch/frame_memory.hpp"
#include "arch/interrupts.hpp"
#include "arch/kernel_tables.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/write_xor_execute.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/log/message.hpp"
#include "kernel/supervisor.hpp"
#include "kernel/the_machine.hpp"

namespace reprise {
namespace {

void start_machine(std::uint32_t magic, std::uint32_t info) {
  make_machine();
  arch::start_emergency_serial();  // so that whatever fails below can be said
  arch::load_descriptor_tables();  // so that a fault below is reported, not a reset
  arch::require_features();        // the rest relies on these
  const arch::BootInfo& boot = arch::read_boot_info(magic, info);
  machine.boot = &boot;
  machine.frames.initialize(boot.memory);
  arch::build_kernel_tables(boot, machine.frames);  // no page is writable and executable any more
  arch::check_write_xor_execute();                  // and that is looked up, not believed
  arch::start_extended_state();
  arch::start_interrupts();
  arch::start_clock();  // needs the local APIC's timer
  const auto zero = machine.frames.allocate();
  REPRISE_ASSERT(zero);  // the machine has its least memory: that was checked
  arch::clear_frame(*zero);
  machine.zero = *zero;
}

[[noreturn]] void refuse(std::string_view code, std::string_view advice, ExitCode exit_code) {
  log_message(machine.log, "init: ", advice);
  log_event(machine.log, "error code=", code, " subject=init");
  arch::exit_machine(exit_code);
}

// Init finds out what the machine is: the clocks' rates, the firmware's way to reset. So it may
// reach every port; and it writes the log as long as no driver does.
ProgramRequest request_for_init(std::uint64_t module) {
  ProgramRequest request;
  request.module = module;
  request.priority = highest_priority + 1;
  request.argument_count = 1;
  request.grants[0] = {.kind = REPRISE_GRANT_PORT, .first = 0, .last = 0xffff};
  request.grants[1] = {.kind = REPRISE_GRANT_LOG, .first = 0, .last = 0};
  request.grant_count = 2;
  return request;
}

void start_init() {
  const auto module = machine.boot->init;
  if (!module || machine.boot->modules[*module].size == 0) {
    refuse("no-init", "no boot module holds init: give the one that the build makes",
           ExitCode::NoInit);
  }
  const auto started = machine.start(request_for_init(*module), std::span{"init"});
  if (started) return;
  if (started.error() == REPRISE_NO_MEMORY) {
    refuse("out-of-memory", "not enough memory to start: give the machine more (--memory)",
           ExitCode::OutOfMemory);
  }
  refuse("no-personality", "no boot module holds the personality: give the build's",
         ExitCode::NoPersonality);
}

}  // namespace
}  // namespace reprise

extern "C" [[noreturn]] void kernel_main(std::uint32_t magic, std::uint32_t info) {
  using namespace reprise;
  start_machine(magic, info);
  start_init();
  supervise(machine);
}
