// See register_move.hpp.
#include "user/monitor/register_move.hpp"

namespace monitor {
namespace {

using State = reprise_guest_state;

constexpr std::uint64_t efer_long_active = 1 << 10;
constexpr std::uint16_t code_is_64_bit = 1 << 9;
constexpr std::uint64_t cr4_debug_extensions = 1 << 3;
constexpr std::uint64_t flag_trap = 1 << 8, flag_resume = 1 << 16;
constexpr std::uint64_t low_half = 0xffff'ffff;
constexpr std::uint64_t page_bytes = 4096;

// AMD APM Vol. 2 §13.1.1: bits that keep what is written, and those that are always set.
constexpr std::uint64_t dr6_kept = 0xe00f, dr6_set = 0xffff'0ff0;
constexpr std::uint64_t dr7_kept = 0xffff'23ff, dr7_set = 1 << 10;
constexpr std::uint64_t dr6_access = 1 << 13, dr6_step = 1 << 14;  // BD, BS
constexpr std::uint64_t dr7_general_detect = 1 << 13;
constexpr std::uint64_t highest_priority = 15;  // CR8

constexpr std::uint64_t debug_exception = REPRISE_EVENT_EXCEPTION | 1;
constexpr std::uint64_t undefined_instruction = REPRISE_EVENT_EXCEPTION | 6;
constexpr std::uint64_t general_protection =
    REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13;  // error code 0
constexpr std::uint64_t page_fault = REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 14;

constexpr std::uint8_t lock_prefix = 0xf0;
constexpr std::uint8_t rex_r = 4, rex_b = 1;
constexpr std::uint8_t two_byte_opcode = 0x0f;
constexpr std::uint8_t from_debug = 0x21, to_control = 0x22, to_debug = 0x23;

// In the order of their numbers.
constexpr std::array general_registers{&State::rax, &State::rcx, &State::rdx, &State::rbx,
                                       &State::rsp, &State::rbp, &State::rsi, &State::rdi,
                                       &State::r8,  &State::r9,  &State::r10, &State::r11,
                                       &State::r12, &State::r13, &State::r14, &State::r15};
// DR4 and DR5 are other names of DR6 and DR7.
constexpr std::array debug_registers{&State::dr0, &State::dr1, &State::dr2, &State::dr3,
                                     &State::dr6, &State::dr7, &State::dr6, &State::dr7};

bool is_legacy_prefix(std::uint8_t byte) {
  switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case lock_prefix:
    case 0xf2:
    case 0xf3: return true;
    default: return false;
  }
}

}  // namespace

bool RegisterMove::runs_64_bit() const {
  return (state_.efer & efer_long_active) != 0 && (state_.cs.attributes & code_is_64_bit) != 0;
}

RegisterMove::Outcome RegisterMove::carry_out() {
  const std::uint64_t flags = state_.rflags;
  Step step = decode();
  if (step == Step::Done) step = move();
  if (step == Step::NoMemory) return Outcome::NoMemory;
  if (step == Step::Done) finish(flags);
  return Outcome::GoesOn;
}

RegisterMove::Step RegisterMove::fetch(std::uint8_t& byte) {
  if (length_ == fetched_) {
    const Step step = fetch_more();
    if (step != Step::Done) return step;
  }
  byte = bytes_[length_];
  ++length_;
  return Step::Done;
}

// Reads up to the end of a page. The next page is looked up only when the instruction goes on
// there.
RegisterMove::Step RegisterMove::fetch_more() {
  if (fetched_ == longest_instruction) return fault(general_protection);
  std::uint64_t linear = state_.rip + fetched_;
  if (!runs_64_bit()) linear = (state_.cs.base + linear) & low_half;
  PageWalker walker{state_, memory_};
  const Translation found = walker.walk(linear, MemoryUse::Read);
  if (!found.found) {
    state_.cr2 = linear;
    return fault(page_fault | found.error_code << 32);
  }
  const std::uint64_t in_page = page_bytes - linear % page_bytes;
  const std::uint64_t left = longest_instruction - fetched_;
  const std::uint64_t count = left < in_page ? left : in_page;
  if (!memory_.read(found.physical, bytes_.data() + fetched_, count)) {
    absent_address_ = found.physical;
    return Step::NoMemory;
  }
  fetched_ += count;
  return Step::Done;
}

// A REX prefix counts only directly before the opcode.
RegisterMove::Step RegisterMove::read_prefixes(std::uint8_t& opcode) {
  while (true) {
    const Step step = fetch(opcode);
    if (step != Step::Done) return step;
    const bool is_rex = runs_64_bit() && (opcode & 0xf0) == 0x40;
    if (!is_rex && !is_legacy_prefix(opcode)) return Step::Done;
    rex_ = is_rex ? opcode : 0;
    has_lock_ = has_lock_ || opcode == lock_prefix;
  }
}

// The mod bits say nothing: the operand is always a register.
RegisterMove::Step RegisterMove::decode() {
  std::uint8_t byte = 0;
  Step step = read_prefixes(byte);
  if (step != Step::Done) return step;
  if (byte != two_byte_opcode) return fault(undefined_instruction);
  step = fetch(opcode_);
  if (step != Step::Done) return step;
  step = fetch(byte);
  if (step != Step::Done) return step;
  special_number_ = (byte >> 3 & 7) + ((rex_ & rex_r) != 0 ? 8 : 0);
  general_ = general_registers[(byte & 7) + ((rex_ & rex_b) != 0 ? 8 : 0)];
  return Step::Done;
}

RegisterMove::Step RegisterMove::move() {
  switch (opcode_) {
    case from_debug:
    case to_debug: return move_debug_register();
    case to_control: return write_priority();
    default: return fault(undefined_instruction);
  }
}

// Null: there is none of this number.
RegisterMove::Register RegisterMove::debug_register() const {
  if (special_number_ >= debug_registers.size()) return nullptr;
  const bool is_alias = special_number_ == 4 || special_number_ == 5;
  if (is_alias && (state_.cr4 & cr4_debug_extensions) != 0) return nullptr;
  return debug_registers[special_number_];
}

// What the general register holds: 64 bits in 64-bit code, whatever the prefixes; 32 otherwise.
std::uint64_t RegisterMove::operand() const {
  const std::uint64_t value = state_.*general_;
  return runs_64_bit() ? value : value & low_half;
}

RegisterMove::Step RegisterMove::move_debug_register() {
  const Register special = debug_register();
  if (special == nullptr) return fault(undefined_instruction);
  if ((state_.dr7 & dr7_general_detect) != 0) {
    raise_debug(dr6_access);
    return Step::Fault;
  }
  if (opcode_ == to_debug) return write_debug_register(special);
  const std::uint64_t value = state_.*special;
  state_.*general_ = runs_64_bit() ? value : value & low_half;
  return Step::Done;
}

RegisterMove::Step RegisterMove::write_debug_register(Register to) {
  std::uint64_t value = operand();
  const bool is_dr6 = to == &State::dr6, is_dr7 = to == &State::dr7;
  if ((is_dr6 || is_dr7) && value > low_half) return fault(general_protection);
  if (is_dr6) value = (value & dr6_kept) | dr6_set;
  if (is_dr7) value = (value & dr7_kept) | dr7_set;
  state_.*to = value;
  return Step::Done;
}

// On AMD's processors LOCK before CR0 means CR8, too (APM Vol. 3, MOV CRn).
RegisterMove::Step RegisterMove::write_priority() {
  const bool is_cr8 = special_number_ == 8 || (special_number_ == 0 && has_lock_);
  if (!is_cr8) return fault(undefined_instruction);
  if (operand() > highest_priority) return fault(general_protection);
  state_.cr8 = operand();
  return Step::Done;
}

RegisterMove::Step RegisterMove::fault(std::uint64_t event) {
  state_.event = event;
  return Step::Fault;
}

// The processor clears DR7.GD on its way into the handler, so that the handler can use the
// registers.
void RegisterMove::raise_debug(std::uint64_t cause) {
  state_.dr6 |= cause;
  state_.dr7 &= ~dr7_general_detect;
  state_.event = debug_exception;
}

// `flags` are RFLAGS as they were before the instruction: with TF, its end is a trap.
void RegisterMove::finish(std::uint64_t flags) {
  state_.rip += length_;
  state_.shadow = 0;
  state_.rflags &= ~flag_resume;
  if ((flags & flag_trap) != 0) raise_debug(dr6_step);
}

}  // namespace monitor
