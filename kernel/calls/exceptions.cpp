#include "kernel/calls/exceptions.hpp"

#include <array>
#include <span>

#include "arch/fault.hpp"
#include "arch/stepping.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/context/gate.hpp"
#include "kernel/device/access.hpp"

namespace reprise {

bool serve_exception(Process& process, const dwc::PeEnd& committed) {
  Context& context = process.context();
  const UserAddr rip{context.registers()[arch::Register::Rip]};
  std::array<std::uint8_t, arch::longest_instruction> buffer;
  const std::size_t bytes =
      context.space().read_start(rip, std::as_writable_bytes(std::span{buffer}));
  const auto code = std::span<const std::uint8_t>{buffer}.first(bytes);
  Gate gate{context};
  const arch::FaultKind fault = arch::classify(committed.vector, committed.error_code);
  if (fault == arch::FaultKind::GeneralProtection && gate.emulated_instruction(code)) return true;
  const std::optional<dwc::PeEnd> left = access_device(process, committed, code);
  if (!left || gate.exception(*left)) return true;
  context.figures.last_end = *left;
  return false;
}

void interrupt_when_due(Context& context, Nanoseconds now) {
  if (context.interrupt_at > now || context.exception_handler.entry.value() == 0) return;
  if (in_personality(context.registers()[arch::Register::Rip])) return;
  context.interrupt_at = Mailbox::never;
  static_cast<void>(Gate{context}.exception(
      {.kind = dwc::PeEnd::Kind::Exception, .vector = REPRISE_INTERRUPT_VECTOR}));
}

}  // namespace reprise
