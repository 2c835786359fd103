#include "kernel/device/access.hpp"

#include "arch/device_instruction.hpp"
#include "arch/fault.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "kernel/context/element.hpp"
#include "kernel/context/gate.hpp"

namespace reprise {
namespace {

using arch::FaultKind;
using arch::Register;
using arch::Trap;
using Code = std::span<const std::uint8_t>;

constexpr unsigned most_iterations = 256;  // of a repeated access in one go: interrupts wait

enum class Access : std::uint8_t { Done, Raised, Unsupported };

struct Execution {
  Access access;
  Trap trap;  // the last one; when Raised: the exception
};

// Whether all bytes of a store lie in the page of the first one, which was made writable.
bool stays_in_page(std::optional<UserAddr> store, std::optional<UserAddr> first) {
  if (!store) return true;
  const PageNumber owned = page_of(*first);
  return page_of(*store) == owned && page_of(*store + (Gate::widest_store - 1)) == owned;
}

// By single steps, with the device open, while the stores, up or down, stay in one page.
Execution execute(Context& context, Code code) {
  Gate gate{context};
  const arch::UserState& state = context.registers();
  const std::uint64_t rip = state[Register::Rip];
  const std::optional<UserAddr> store = arch::stores_to(code, state);
  unsigned iterations = 0;
  gate.begin_device_access(store);
  Trap trap = gate.device_data();
  for (;;) {
    if (trap.kind == Trap::Kind::Step) ++iterations;
    const bool over = trap.kind == Trap::Kind::Exception || state[Register::Rip] != rip;
    if (over || iterations == most_iterations) break;
    if (!stays_in_page(arch::stores_to(code, state), store)) break;
    trap = gate.device_data();
  }
  gate.end_device_access(store);
  if (iterations != 0 || trap.kind != Trap::Kind::Exception) return {Access::Done, trap};
  const bool other_device =
      trap.fault() == FaultKind::Absent && context.space().is_device(UserAddr{trap.fault_address});
  const bool again = other_device || protected_page(context.space(), trap).has_value();
  return {again ? Access::Unsupported : Access::Raised, trap};
}

// What remains to be served; the figures say why an access was refused.
std::optional<dwc::PeEnd> conclude(Context& context, const dwc::PeEnd& end,
                                   const Execution& execution) {
  if (execution.access == Access::Unsupported) return end;
  context.figures.refused = {};
  if (execution.access == Access::Raised) return end_of(execution.trap);
  return std::nullopt;
}

std::optional<dwc::PeEnd> access_ports(Process& process, const dwc::PeEnd& end, Code code) {
  Context& context = process.context();
  const auto ports = arch::ports_reached(code, context.registers());
  if (!ports) return end;
  const bool granted = process.grants().allow(REPRISE_GRANT_PORT, ports->first, ports->last);
  using Reason = AccessRefusal::Reason;
  context.figures.refused = {.reason = granted ? Reason::Unsupported : Reason::NotGranted,
                             .first = ports->first,
                             .last = ports->last};
  if (!granted) return end;
  arch::set_ports(arch::Ports::Open);
  const Execution execution = execute(context, code);
  arch::set_ports(arch::Ports::Closed);
  return conclude(context, end, execution);
}

std::optional<dwc::PeEnd> access_memory(Context& context, const dwc::PeEnd& end, Code code) {
  const PageNumber page = page_of(UserAddr{end.fault_address});
  context.figures.refused = {.reason = AccessRefusal::Reason::Unsupported,
                             .first = end.fault_address,
                             .last = end.fault_address};
  Gate gate{context};
  gate.open_device_page(page);
  const Execution execution = execute(context, code);
  gate.close_device_page(page);
  return conclude(context, end, execution);
}

}  // namespace

std::optional<dwc::PeEnd> access_device(Process& process, const dwc::PeEnd& end, Code code) {
  Context& context = process.context();
  context.figures.refused = {};
  const FaultKind fault = arch::classify(end.vector, end.error_code);
  if (fault == FaultKind::GeneralProtection) return access_ports(process, end, code);
  const bool device =
      fault == FaultKind::Absent && context.space().is_device(UserAddr{end.fault_address});
  return device ? access_memory(context, end, code) : end;
}

}  // namespace reprise
