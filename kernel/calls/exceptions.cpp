#include "kernel/calls/exceptions.hpp"

#include <array>
#include <span>

#include "arch/machine.hpp"
#include "kernel/calls/exception_frame.hpp"
#include "kernel/console/line.hpp"

namespace reprise {
namespace {

using arch::Register;

struct ExceptionText {
  std::string_view name;
  std::uint8_t signal;  // as Linux numbers it: the exit status is 128 plus this
};

constexpr ExceptionText text_of(std::uint8_t vector) {
  switch (vector) {
    case 0:
      return {"divide error", 8};
    case 1:
      return {"debug exception", 5};
    case 3:
      return {"breakpoint", 5};
    case 4:
      return {"overflow", 11};
    case 5:
      return {"bound range exceeded", 11};
    case 6:
      return {"invalid opcode", 4};
    case 7:
      return {"device not available", 8};
    case 11:
      return {"segment not present", 7};
    case 12:
      return {"stack fault", 7};
    case 13:
      return {"general protection", 11};
    case 14:
      return {"page fault", 11};
    case 16:
      return {"x87 floating-point error", 8};
    case 17:
      return {"alignment check", 7};
    case 19:
      return {"SIMD floating-point exception", 8};
    default:
      return {"exception", 11};
  }
}

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

std::string_view exception_name(std::uint8_t vector) { return text_of(vector).name; }

std::optional<std::uint8_t> serve_exception(Process& process, const dwc::PeEnd& end) {
  if (stand_in_for_time_stamp(process, end) || enter_handler(process, end)) return std::nullopt;
  const std::uint64_t rip = process.registers()[Register::Rip];
  Line line;
  line.text(process.name()).text(": ").text(exception_name(end.vector)).text(" at ").hex(rip);
  if (end.vector == 14) line.text(", address ").hex(end.fault_address);
  line.text("; the program has no handler for it and ends").print();
  EventLine{"exception"}
      .field("process", process.name())
      .field("vector", end.vector)
      .hex("error_code", end.error_code)
      .hex("rip", rip)
      .hex("address", end.fault_address)
      .print();
  return static_cast<std::uint8_t>(128 + text_of(end.vector).signal);
}

}  // namespace reprise
