#include "kernel/device/access.hpp"

#include "arch/device_instruction.hpp"
#include "arch/fault.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/context/element.hpp"

namespace reprise {
namespace {

using arch::Register;
using arch::Trap;

constexpr unsigned most_iterations = 256;  // of a repeated access in one go: interrupts wait
constexpr std::size_t widest_store = 8;

// Where the instruction stores what it reads is made writable first: a write fault afterwards would
// have the device read twice. A store narrower than the widest may end where the process's memory
// does: so each end is looked at by itself.
void own_store(Process& process, std::optional<UserAddr> place, arch::WriteAccess access) {
  if (!place) return;
  for (const UserAddr byte : {*place, *place + (widest_store - 1)})
    if (process.space().writable(byte, 1))
      static_cast<void>(process.space().own(page_of(byte), access));
}

enum class Access : std::uint8_t { Done, Raised, Unsupported };

// By single steps, with the device open.
Access execute(Process& process, std::span<const std::uint8_t> code, Trap& trap) {
  arch::UserState& state = process.registers();
  const std::uint64_t rip = state[Register::Rip];
  const std::optional<UserAddr> store = arch::stores_to(code, state);
  own_store(process, store, arch::WriteAccess::Enabled);
  arch::load_rest(state);
  arch::set_single_step(true);
  unsigned iterations = 0;
  std::optional<UserAddr> next;
  do {  // while the stores, up or down, stay in one page, which is owned
    trap = arch::run_user(state);
    if (trap.kind == Trap::Kind::Step) ++iterations;
    next = arch::stores_to(code, state);
  } while (trap.kind != Trap::Kind::Exception && state[Register::Rip] == rip &&
           iterations < most_iterations &&
           (!next || (page_of(*next) == page_of(*store) &&
                      page_of(*next + (widest_store - 1)) == page_of(*store))));
  arch::set_single_step(false);
  arch::save_rest(state);
  own_store(process, store, arch::WriteAccess::Protected);
  if (process.hardened()) process.engine().forget_modified();
  if (iterations != 0 || trap.kind != Trap::Kind::Exception) return Access::Done;
  const bool again =
      protected_page(process, trap) || (trap.fault() == arch::FaultKind::Absent &&
                                        process.space().is_device(UserAddr{trap.fault_address}));
  return again ? Access::Unsupported : Access::Raised;
}

}  // namespace

std::optional<dwc::PeEnd> access_device(Process& process, const dwc::PeEnd& end,
                                        std::span<const std::uint8_t> code) {
  Access access = Access::Unsupported;
  Trap trap{};
  AccessRefusal& refused = process.report.refused;
  refused = {};
  const arch::FaultKind fault = arch::classify(end.vector, end.error_code);
  if (fault == arch::FaultKind::GeneralProtection) {
    const auto ports = arch::ports_reached(code, process.registers());
    if (!ports) return end;
    refused = {AccessRefusal::Reason::Unsupported, ports->first, ports->last};
    if (!process.grants.allow(REPRISE_GRANT_PORT, ports->first, ports->last)) {
      refused.reason = AccessRefusal::Reason::NotGranted;
      return end;
    }
    arch::set_ports(arch::Ports::Open);
    access = execute(process, code, trap);
    arch::set_ports(arch::Ports::Closed);
  } else if (fault == arch::FaultKind::Absent &&
             process.space().is_device(UserAddr{end.fault_address})) {
    const PageNumber page = page_of(UserAddr{end.fault_address});
    refused = {AccessRefusal::Reason::Unsupported, end.fault_address, end.fault_address};
    process.space().table().open_device(page);
    access = execute(process, code, trap);
    process.space().table().close_device(page);
  } else {
    return end;
  }
  if (access == Access::Unsupported) return end;
  refused = {};
  if (access == Access::Raised) return end_of(trap);
  return std::nullopt;
}

}  // namespace reprise
