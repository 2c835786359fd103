// An exception becomes a Linux signal; the kernel's interrupt may be the timer's. Faults of copies
// from and to the program's memory do not reach this file: entry.asm turns those into error
// returns.
#include "user/linux/clock.hpp"
#include "user/linux/file_mappings.hpp"
#include "user/linux/log.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/native.hpp"
#include "user/linux/process.hpp"
#include "user/linux/signals.hpp"
#include "user/linux/timers.hpp"

extern "C" const char image_begin[], image_end[];

namespace personality {

namespace {

// Vectors: Intel SDM Vol. 3A §6.15. Signal codes: the Linux user interface (si_code).
enum Vector : std::uint64_t {
  DivideError = 0,
  Debug = 1,
  Breakpoint = 3,
  InvalidOpcode = 6,
  PageFault = 14,
  X87Error = 16,
  AlignmentCheck = 17,
  SimdError = 19
};
constexpr std::int32_t code_kernel = 0x80, divide = 1, floating_unknown = 14, illegal_operand = 2,
                       not_mapped = 1, no_access = 2, misaligned = 1, no_object = 2, trace = 2;
constexpr std::uint64_t was_present = 1;

// Behind the end of a mapped file there is no page, whatever may be done with it.
bool is_behind_file(const Region& region, const reprise_frame& frame) {
  constexpr std::uint64_t write = 2, fetch = 16;
  if (region.node == nullptr || frame.fault_address - region.start < present_bytes(region)) {
    return false;
  }
  unsigned needed = REPRISE_PROTECT_READ;
  if ((frame.error_code & write) != 0) needed = REPRISE_PROTECT_WRITE;
  if ((frame.error_code & fetch) != 0) needed = REPRISE_PROTECT_EXECUTE;
  return (region.protection & needed) != 0;
}

SignalInfo page_fault(const reprise_frame& frame) {
  const Region* region = regions().at_or_above(frame.fault_address);
  const bool mapped = region != nullptr && region->start <= frame.fault_address;
  if (mapped && is_behind_file(*region, frame)) {
    return {.number = signal_number::bus, .code = no_object, .address = frame.fault_address};
  }
  const bool present = mapped || (frame.error_code & was_present) != 0;
  return {.number = signal_number::segment,
          .code = present ? no_access : not_mapped,
          .address = frame.fault_address};
}

SignalInfo signal_for(const reprise_frame& frame) {
  using namespace signal_number;
  switch (frame.vector) {
    case DivideError: return {.number = floating, .code = divide, .address = frame.rip};
    case Debug: return {.number = trap, .code = trace, .address = frame.rip};
    case Breakpoint: return {.number = trap, .code = code_kernel};
    case InvalidOpcode: return {.number = illegal, .code = illegal_operand, .address = frame.rip};
    case PageFault: return page_fault(frame);
    case X87Error:
    case SimdError: return {.number = floating, .code = floating_unknown, .address = frame.rip};
    case AlignmentCheck: return {.number = bus, .code = misaligned};
    default: return {.number = segment, .code = code_kernel};
  }
}

}  // namespace

extern "C" void handle_exception(reprise_frame* frame) {
  const auto low = reinterpret_cast<std::uint64_t>(image_begin);
  const auto high = reinterpret_cast<std::uint64_t>(image_end);
  if (frame->rip >= low && frame->rip < high) {
    Line() << "the personality itself failed: vector " << frame->vector << " at rip "
           << Hex{frame->rip} << ", address " << Hex{frame->fault_address};
    native::exit(127);
  }
  if (frame->vector == REPRISE_INTERRUPT_VECTOR) {
    expire_timer(monotonic_nanoseconds());
    deliver_pending_signals(*frame);
    return;
  }
  if (frame->vector == PageFault && bring_page(frame->fault_address)) return;
  force_signal(*frame, signal_for(*frame));
}

}  // namespace personality
