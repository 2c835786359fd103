#include "tests/qemu/ground_truth/single_step.hpp"

#include <array>
#include <span>

#include "arch/fault.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"
#include "tests/qemu/ground_truth/runner_access.hpp"
#include "tests/qemu/ground_truth/trace.hpp"

namespace ground_truth {

using namespace reprise;
using arch::Register;
using arch::Trap;

namespace {

struct Shape {
  bool system_call = false;
  std::size_t around = 0;  // length of an instruction that must not be stepped; 0: may be
  bool vectors = false;    // may change x87, SSE or AVX registers
};

bool is_prefix(std::uint8_t byte) {
  return byte == 0x66 || byte == 0x67 || (byte & 0xf0) == 0x40 || byte == 0xf2 || byte == 0xf3 ||
         byte == 0x64 || byte == 0x65 || byte == 0x2e || byte == 0x3e || byte == 0xf0;
}

// 0F, VEX, x87: all others work on general registers and flags alone (Intel SDM Vol. 2D, appendix
// A).
bool may_change_vectors(std::span<const std::uint8_t> code) {
  while (!code.empty() && is_prefix(code.front())) code = code.subspan(1);
  if (code.empty()) return true;  // the page ends
  const std::uint8_t opcode = code.front();
  return opcode == 0x0f || opcode == 0xc4 || opcode == 0xc5 || (opcode & 0xf8) == 0xd8;
}

Shape shape_at(Process& process, UserAddr rip) {
  std::array<std::uint8_t, 6> code{};
  std::size_t known = code.size();
  while (known != 0 &&
         !process.space().read(rip, std::as_writable_bytes(std::span{code}.first(known)))) {
    --known;  // the page ends
  }
  const auto is = [&](std::size_t at, std::uint8_t byte) { return at < known && code[at] == byte; };
  if (is(0, 0x0f) && is(1, 0x05)) return {.system_call = true};
  const std::size_t prefix = is(0, 0x66) ? 1 : 0;
  if (is(prefix, 0x9c) || is(prefix, 0x9d)) return {.around = prefix + 1};  // PUSHF, POPF
  if (is(0, 0xf3) && is(1, 0x90)) return {.around = 2};                     // PAUSE
  return {.vectors = may_change_vectors(std::span{code}.first(known))};
}

// As kernel/context/element.cpp does it.
bool redirect_to_personality(Process& process) {
  arch::UserState& state = live_registers(process);
  const std::uint64_t rip = state[Register::Rip];
  if (process.context().syscall_entry.value() == 0) return false;
  if (rip >= personality_base && rip < personality_end) return false;
  state[Register::Rcx] = rip;
  state[Register::R11] = state[Register::Rflags];
  state[Register::Rip] = process.context().syscall_entry.value();
  return true;
}

// A first write to a page: it gets a frame of its own, and the instruction is tried again.
bool take_write_fault(Process& process, const Trap& trap) {
  if (trap.fault() != arch::FaultKind::WriteProtected) return false;
  const PageNumber page = page_of(UserAddr{trap.fault_address});
  const auto mapping = process.space().table().find(page);
  return mapping && mapping->permissions.write &&
         own_space(process).own(page, arch::WriteAccess::Enabled);
}

}  // namespace

StepResult step(Process& process) {
  using Kind = dwc::PeEnd::Kind;
  arch::UserState& state = live_registers(process);
  for (;;) {
    const UserAddr rip{state[Register::Rip]};
    const Shape shape = shape_at(process, rip);
    arch::set_single_step(!shape.system_call && shape.around == 0);
    const auto behind = arch::BreakSlot::Behind;
    if (shape.around != 0) arch::set_breakpoint(behind, rip + shape.around);
    const Trap trap = arch::run_user(state);
    if (shape.around != 0) arch::set_breakpoint(behind, std::nullopt);
    switch (trap.kind) {
      case Trap::Kind::Step:
      case Trap::Kind::Break:
        if (shape.vectors) save_vectors(state);
        return {};
      case Trap::Kind::SystemCall:
        if (redirect_to_personality(process)) return {};
        arch::save_rest(state);
        return {dwc::PeEnd{Kind::SystemCall, 0, 0, 0}};
      case Trap::Kind::Exception:
        if (take_write_fault(process, trap)) continue;
        arch::save_rest(state);
        return {dwc::PeEnd{Kind::Exception, trap.vector, trap.error_code, trap.fault_address}};
      default: continue;  // not the program's
    }
  }
}

}  // namespace ground_truth
