#include "kernel/calls/serve_call.hpp"

#include <array>

#include "kernel/calls/call_table.hpp"
#include "kernel/calls/init_calls.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise {
namespace {

constexpr std::array native_entries{
    CallEntry{.number = REPRISE_EXIT, .handler = native_calls::exit},
    CallEntry{.number = REPRISE_LOG, .handler = native_calls::log},
    CallEntry{.number = REPRISE_MAP, .handler = native_calls::map},
    CallEntry{.number = REPRISE_UNMAP, .handler = native_calls::unmap},
    CallEntry{.number = REPRISE_PROTECT, .handler = native_calls::protect},
    CallEntry{.number = REPRISE_SET_BASE, .handler = native_calls::set_base},
    CallEntry{.number = REPRISE_TIME, .handler = native_calls::time},
    CallEntry{.number = REPRISE_SLEEP, .handler = native_calls::sleep},
    CallEntry{.number = REPRISE_YIELD, .handler = native_calls::yield},
    CallEntry{.number = REPRISE_LOG_READ, .handler = native_calls::log_read},
    CallEntry{.number = REPRISE_ENTROPY, .handler = native_calls::entropy},
    CallEntry{.number = REPRISE_SET_HANDLER, .handler = native_calls::set_handler},
    CallEntry{.number = REPRISE_RESUME, .handler = native_calls::resume},
    CallEntry{.number = REPRISE_SELF, .handler = native_calls::self},
    CallEntry{.number = REPRISE_MAP_FILE, .handler = native_calls::map_file},
    CallEntry{.number = REPRISE_REFUSE, .handler = native_calls::refuse},
    CallEntry{.number = REPRISE_CALL, .handler = native_calls::send},
    CallEntry{.number = REPRISE_RECEIVE, .handler = native_calls::receive},
    CallEntry{.number = REPRISE_ALARM, .handler = native_calls::alarm},
    CallEntry{.number = REPRISE_MAP_DEVICE, .handler = native_calls::map_device},
    CallEntry{.number = REPRISE_DEVICE_WRITE, .handler = native_calls::device_write},
    CallEntry{.number = REPRISE_USAGE, .handler = native_calls::usage},
    CallEntry{.number = REPRISE_INTERRUPT, .handler = native_calls::interrupt},
    CallEntry{.number = REPRISE_GUEST_MAP, .handler = native_calls::guest_map},
    CallEntry{.number = REPRISE_GUEST_WRITE, .handler = native_calls::guest_write},
    CallEntry{.number = REPRISE_GUEST_READ, .handler = native_calls::guest_read},
    CallEntry{.number = REPRISE_GUEST_STATE, .handler = native_calls::guest_state},
    CallEntry{.number = REPRISE_GUEST_SET_STATE, .handler = native_calls::guest_set_state},
    CallEntry{.number = REPRISE_GUEST_RUN, .handler = native_calls::guest_run},
};
constexpr CallTable<REPRISE_EXIT, REPRISE_GUEST_RUN> native_table{native_entries};

constexpr std::array init_entries{
    CallEntry{.number = REPRISE_CONFIGURE, .handler = init_calls::configure},
    CallEntry{.number = REPRISE_COUNTER, .handler = init_calls::counter},
    CallEntry{.number = REPRISE_MACHINE, .handler = init_calls::describe_machine},
    CallEntry{.number = REPRISE_PHYSICAL_READ, .handler = init_calls::physical_read},
    CallEntry{.number = REPRISE_INJECT, .handler = init_calls::inject},
    CallEntry{.number = REPRISE_START, .handler = init_calls::start},
    CallEntry{.number = REPRISE_NEWS, .handler = init_calls::news},
    CallEntry{.number = REPRISE_STATUS, .handler = init_calls::status},
    CallEntry{.number = REPRISE_END, .handler = init_calls::end},
    CallEntry{.number = REPRISE_SHUTDOWN, .handler = init_calls::shutdown},
    CallEntry{.number = REPRISE_INTERRUPTS, .handler = init_calls::interrupts},
    CallEntry{.number = REPRISE_PROBE, .handler = init_calls::probe},
    CallEntry{.number = REPRISE_CLOCK, .handler = init_calls::clock},
    CallEntry{.number = REPRISE_RELEASE, .handler = init_calls::release},
};
constexpr CallTable<REPRISE_CONFIGURE, REPRISE_RELEASE> init_table{init_entries};

CallHandler handler_of(const Process& process, std::uint64_t number) {
  if (const CallHandler native = native_table.find(number); native != nullptr) return native;
  return process.number() == init_number ? init_table.find(number) : nullptr;
}

Answer answer(Call& call) {
  const CallHandler handler = handler_of(call.process(), call.number());
  if (handler == nullptr) return Failure{REPRISE_NO_SUCH_CALL};
  return handler(call);
}

}  // namespace

std::optional<std::uint8_t> serve_call(Machine& machine, Process& process) {
  Call call{machine, process};
  const Answer answered = answer(call);
  if (!answered) {
    call.gate().error(answered.error());
  } else if (!call.keeps_registers()) {
    call.gate().call_result(static_cast<std::uint64_t>(answered.value()));
  }
  return call.end_status();
}

}  // namespace reprise
