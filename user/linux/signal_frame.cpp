// The frame that a signal handler finds on the stack, as Linux lays it out on x86-64, and the way
// back from it. Vector state is saved behind the frame and restored by rt_sigreturn.
#include "user/linux/calls.hpp"
#include "user/linux/signals.hpp"
#include "user/linux/vector_state.hpp"

namespace personality {

namespace {

struct MachineContext {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
      rflags;
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t error_code, vector, old_mask, fault_address, vector_state, reserved[8];
};

struct Context {  // ucontext_t as the kernel knows it
  std::uint64_t flags, link;
  SignalStack stack;
  MachineContext machine;
  std::uint64_t mask;
};

struct SignalFrame {
  std::uint64_t return_address;
  Context context;
  SignalInfo info;
  std::uint64_t info_rest[13];  // siginfo_t has 128 bytes
};
static_assert(sizeof(SignalFrame) == 8 + 304 + 128);

constexpr std::uint64_t red_zone = 128;
constexpr std::uint64_t on_stack = 0x08000000, has_restorer = 0x04000000;
constexpr std::int32_t disabled = 2, using_stack = 1;
// Bits of RFLAGS that a handler may change: AC, RF, OF, DF, TF and the arithmetic ones.
constexpr std::uint64_t changeable_flags = 0x50dd5;
constexpr std::uint16_t user_code_selector = 0x33, user_data_selector = 0x2b;

MachineContext to_context(const reprise_frame& r) {
  MachineContext context{};
  context.r8 = r.r8;
  context.r9 = r.r9;
  context.r10 = r.r10;
  context.r11 = r.r11;
  context.r12 = r.r12;
  context.r13 = r.r13;
  context.r14 = r.r14;
  context.r15 = r.r15;
  context.rdi = r.rdi;
  context.rsi = r.rsi;
  context.rbp = r.rbp;
  context.rbx = r.rbx;
  context.rdx = r.rdx;
  context.rax = r.rax;
  context.rcx = r.rcx;
  context.rsp = r.rsp;
  context.rip = r.rip;
  context.rflags = r.rflags;
  context.cs = user_code_selector;
  context.ss = user_data_selector;
  context.error_code = r.error_code;
  context.vector = r.vector;
  context.fault_address = r.fault_address;
  return context;
}

void from_context(const MachineContext& context, reprise_frame& r) {
  r.r8 = context.r8;
  r.r9 = context.r9;
  r.r10 = context.r10;
  r.r11 = context.r11;
  r.r12 = context.r12;
  r.r13 = context.r13;
  r.r14 = context.r14;
  r.r15 = context.r15;
  r.rdi = context.rdi;
  r.rsi = context.rsi;
  r.rbp = context.rbp;
  r.rbx = context.rbx;
  r.rdx = context.rdx;
  r.rax = context.rax;
  r.rcx = context.rcx;
  r.rsp = context.rsp;
  r.rip = context.rip;
  r.rflags = (r.rflags & ~changeable_flags) | (context.rflags & changeable_flags);
}

bool is_on(const SignalStack& stack, std::uint64_t rsp) {
  return stack.bytes != 0 && rsp > stack.base && rsp - stack.base <= stack.bytes;
}

std::uint64_t stack_for(const SignalAction& action, std::uint64_t rsp) {
  const SignalStack& stack = signals().stack;
  const bool switches = (action.flags & on_stack) != 0 && stack.bytes != 0 && !is_on(stack, rsp);
  return switches ? stack.base + stack.bytes : rsp - red_zone;
}

SignalStack stack_in_context(std::uint64_t rsp) {
  SignalStack stack = signals().stack;
  stack.flags = 0;
  if (is_on(stack, rsp)) stack.flags = using_stack;
  if (stack.bytes == 0) stack.flags = disabled;
  return stack;
}

}  // namespace

bool enter_handler(reprise_frame& registers, const SignalAction& action, const SignalInfo& info) {
  if ((action.flags & has_restorer) == 0) return false;
  const std::uint64_t top = stack_for(action, registers.rsp);
  const std::uint64_t vectors = (top - vector_state_bytes()) & ~std::uint64_t{63};
  // The handler begins as after a call: RSP + 8 is a multiple of 16.
  const std::uint64_t place = ((vectors - sizeof(SignalFrame)) & ~std::uint64_t{15}) - 8;
  if (!save_vector_state(UserAddress(vectors))) return false;
  SignalFrame frame{};
  frame.return_address = action.restorer;
  frame.context.flags = vector_state_extended() ? 7 : 6;  // FP state, SS saved and strict
  frame.context.stack = stack_in_context(registers.rsp);
  frame.context.machine = to_context(registers);
  frame.context.machine.old_mask = mask_to_restore();
  frame.context.machine.vector_state = vectors;
  frame.context.mask = mask_to_restore();
  frame.info = info;
  if (!write_user(UserAddress(place), frame)) return false;
  constexpr std::uint64_t context_offset = offsetof(SignalFrame, context);
  registers.rdi = static_cast<std::uint64_t>(info.number);
  registers.rsi = place + offsetof(SignalFrame, info);
  registers.rdx = place + context_offset;
  registers.rax = 0;
  registers.rsp = place;
  registers.rip = action.handler;
  registers.rflags &= ~std::uint64_t{0x10500};  // RF, DF, TF: as at any function's entry
  return true;
}

// The handler has returned into the restorer, so RSP points behind the return address.
Value call_rt_sigreturn(Call& call) {
  Context context{};
  if (!read_user(UserAddress(call.registers.rsp), context) ||
      !load_vector_state(UserAddress(context.machine.vector_state))) {
    end_by_signal(signal_number::segment, call.registers, call.registers.rsp);
  }
  from_context(context.machine, call.registers);
  constexpr std::uint64_t unblockable =
      signal_bit(signal_number::kill) | signal_bit(signal_number::stop);
  signals().mask = context.mask & ~unblockable;
  return static_cast<Value>(call.registers.rax);
}

}  // namespace personality
