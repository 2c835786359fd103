#include "kernel/calls/exceptions.hpp"

#include <array>
#include <span>

#include "kernel/device/access.hpp"

namespace reprise {
namespace {

using arch::Register;

// An instruction whose value is handed out here, once, after commit.
bool stand_in(Process& process, const dwc::PeEnd& end) {
  if (end.vector != arch::Trap::protection_vector || end.error_code != 0) return false;
  std::array<std::uint8_t, 3> code{};
  process.space().read_start(UserAddr{process.registers()[Register::Rip]},
                             std::as_writable_bytes(std::span{code}));
  return arch::stand_in(process.registers(), code);
}

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
  if (stand_in(process, committed)) return true;
  const std::optional<dwc::PeEnd> left = access_device(process, committed);
  if (!left || enter_handler(process, *left)) return true;
  process.report.last_end = *left;
  return false;
}

}  // namespace reprise
