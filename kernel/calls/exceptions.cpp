#include "kernel/calls/exceptions.hpp"

#include <array>
#include <span>

#include "arch/machine.hpp"
#include "kernel/device/access.hpp"

namespace reprise {
namespace {

using arch::Register;

constexpr std::uint8_t general_protection_vector = 13;

// RDTSC and RDTSCP fault in ring 3 (CR4.TSD), so that both runs of a PE cannot read different
// times; the one time is handed out here. Encodings: Intel SDM Vol. 2B, 0F 31 and 0F 01 F9.
bool stand_in_for_time_stamp(Process& process, const dwc::PeEnd& end) {
  if (end.vector != general_protection_vector || end.error_code != 0) return false;
  arch::UserState& state = process.registers();
  const UserAddr rip{state[Register::Rip]};
  std::array<std::uint8_t, 3> code{};
  const std::span bytes = std::as_writable_bytes(std::span{code});
  if (!process.space().read(rip, bytes.first(2))) return false;
  const bool rdtsc = code[0] == 0x0f && code[1] == 0x31;
  const bool rdtscp =
      code[0] == 0x0f && code[1] == 0x01 && process.space().read(rip, bytes) && code[2] == 0xf9;
  if (!rdtsc && !rdtscp) return false;
  const std::uint64_t time = arch::time_stamp();
  state[Register::Rax] = time & 0xffffffff;
  state[Register::Rdx] = time >> 32;
  if (rdtscp) state[Register::Rcx] = 0;  // IA32_TSC_AUX: this CPU's number
  state[Register::Rip] = (rip + (rdtsc ? 2 : 3)).value();
  return true;
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
  if (stand_in_for_time_stamp(process, committed)) return true;
  const std::optional<dwc::PeEnd> left = access_device(process, committed);
  if (!left || enter_handler(process, *left)) return true;
  process.last_end = *left;
  return false;
}

}  // namespace reprise
