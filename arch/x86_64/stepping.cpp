#include "arch/stepping.hpp"

#include "arch/run_user.hpp"
#include "arch/x86_64/opcode.hpp"
#include "arch/x86_64/registers.hpp"

namespace arch {

using namespace x86;
using reprise::UserAddr;
using Kind = InstructionShape::Kind;
using While = InstructionShape::While;

namespace {

// The trap of a step over MOV SS comes one instruction late (Intel SDM Vol. 3A §6.8.3), and so does
// a breakpoint: what matters is the shape of both together.
InstructionShape with_next(std::size_t length, std::span<const std::uint8_t> rest) {
  InstructionShape next = shape_of(rest);
  if (next.kind == Kind::Repeated) return {};
  next.length = static_cast<std::uint8_t>(next.length + length);
  return next;
}

}  // namespace

InstructionShape shape_of(std::span<const std::uint8_t> code) {
  const Opcode opcode = opcode_of(code);
  const auto length = static_cast<std::uint8_t>(opcode.length);
  const bool narrow = opcode.narrow_address;
  switch (opcode.code) {
    case 0x90:
      if (opcode.repeat != 0xf3) return {};
      [[fallthrough]];
    case 0x9c:
    case 0x9d: return {Kind::Around, length};
    case 0x0f: return opcode.next == 0x05 ? InstructionShape{Kind::Call} : InstructionShape{};
    case 0x8e:
      if ((opcode.next & 0xf8) != 0xd0) return {};  // MOV SS from a register
      return with_next(length + 1u, code.subspan(length + 1u));
    case 0xa4:
    case 0xa5:
    case 0xaa:
    case 0xab:
    case 0xac:
    case 0xad:
      if (opcode.repeat == 0) return {};
      return {Kind::Repeated, length, narrow};
    case 0xa6:
    case 0xa7:
    case 0xae:
    case 0xaf:
      if (opcode.repeat == 0) return {};
      return {Kind::Repeated, length, narrow,
              opcode.repeat == 0xf3 ? While::Equal : While::Unequal};
    default: return {};
  }
}

void Stepper::watch(std::optional<UserAddr> rip) {
  watched_ = rip;
  set_breakpoint(BreakSlot::Target, rip);
}

void Stepper::begin(UserState& state, const UserState& target, std::span<const std::uint8_t> code) {
  active_ = true;
  shape_ = shape_of(code);
  at_ = state[Register::Rip];
  if (shape_.kind == Kind::Plain) return set_single_step(true);
  if (shape_.kind == Kind::Call) return;
  // An iteration may count as an arrival at a breakpoint: the watched one is off meanwhile.
  set_breakpoint(BreakSlot::Target, std::nullopt);
  set_breakpoint(BreakSlot::Behind, UserAddr{at_ + shape_.length});
  if (shape_.kind != Kind::Repeated || target[Register::Rip] != at_) return;
  const std::uint64_t mask = shape_.narrow_count ? 0xffffffff : ~std::uint64_t{0};
  const std::uint64_t count = state[Register::Rcx] & mask, left = target[Register::Rcx] & mask;
  if (left >= count) return;
  count_left_ = left;
  state[Register::Rcx] = count - left;
}

bool Stepper::end(UserState& state) {
  if (!active_) return false;
  active_ = false;
  set_single_step(false);
  if (shape_.kind == Kind::Plain || shape_.kind == Kind::Call) return true;
  set_breakpoint(BreakSlot::Behind, std::nullopt);
  set_breakpoint(BreakSlot::Target, watched_);
  if (count_left_) give_count_back(state);
  count_left_.reset();
  return true;
}

// A repetition that came to its end only because its count was cut down stands at its next
// iteration; one that ZF ended is over.
void Stepper::give_count_back(UserState& state) const {
  const bool used_up = state[Register::Rcx] == 0;
  state[Register::Rcx] += *count_left_;
  const bool equal = (state[Register::Rflags] & Rflags::Zf) != 0;
  const bool goes_on = shape_.repeats == While::Always || equal == (shape_.repeats == While::Equal);
  if (used_up && goes_on) state[Register::Rip] = at_;
}

}  // namespace arch
