#include "kernel/calls/exceptions.hpp"

#include <array>
#include <span>

#include "arch/fault.hpp"
#include "arch/nondeterminism.hpp"
#include "arch/stepping.hpp"
#include "arch/user_state.hpp"
#include "kernel/device/access.hpp"

namespace reprise {
namespace {

bool enter_handler(Process& process, const dwc::PeEnd& end) {
  const ExceptionHandler handler = process.exception_handler;
  if (handler.entry.value() == 0) return false;
  process.exception_handler = {};
  reprise_frame frame = frame_of(process.registers());
  frame.vector = end.vector;
  frame.error_code = end.error_code;
  frame.fault_address = end.fault_address;
  if (!process.space().write(handler.frame, std::as_bytes(std::span{&frame, 1}))) return false;
  reprise_frame entry = frame;
  entry.rip = handler.entry.value();
  entry.rdi = handler.frame.value();
  entry.rflags = 0;
  set_registers(process.registers(), entry);
  return true;
}

}  // namespace

bool serve_exception(Process& process, const dwc::PeEnd& committed) {
  arch::UserState& state = process.registers();
  std::array<std::uint8_t, arch::longest_instruction> buffer;
  const auto code = std::span<const std::uint8_t>{buffer}.first(process.space().read_start(
      UserAddr{state[arch::Register::Rip]}, std::as_writable_bytes(std::span{buffer})));
  const arch::FaultKind fault = arch::classify(committed.vector, committed.error_code);
  if (fault == arch::FaultKind::GeneralProtection && arch::emulate_instruction(state, code))
    return true;
  const std::optional<dwc::PeEnd> left = access_device(process, committed, code);
  if (!left || enter_handler(process, *left)) return true;
  process.report.last_end = *left;
  return false;
}

}  // namespace reprise
