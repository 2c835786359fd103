#include "kernel/calls/exception_frame.hpp"

#include <array>
#include <cstddef>

namespace reprise {
namespace {

using arch::Register;

struct Field {
  std::uint64_t reprise_frame::*member;
  Register of;
};

constexpr std::array fields{
    Field{&reprise_frame::rax, Register::Rax}, Field{&reprise_frame::rbx, Register::Rbx},
    Field{&reprise_frame::rcx, Register::Rcx}, Field{&reprise_frame::rdx, Register::Rdx},
    Field{&reprise_frame::rsi, Register::Rsi}, Field{&reprise_frame::rdi, Register::Rdi},
    Field{&reprise_frame::rbp, Register::Rbp}, Field{&reprise_frame::rsp, Register::Rsp},
    Field{&reprise_frame::r8, Register::R8},   Field{&reprise_frame::r9, Register::R9},
    Field{&reprise_frame::r10, Register::R10}, Field{&reprise_frame::r11, Register::R11},
    Field{&reprise_frame::r12, Register::R12}, Field{&reprise_frame::r13, Register::R13},
    Field{&reprise_frame::r14, Register::R14}, Field{&reprise_frame::r15, Register::R15},
    Field{&reprise_frame::rip, Register::Rip}, Field{&reprise_frame::rflags, Register::Rflags},
};

// CF PF AF ZF SF TF DF OF NT AC ID (Intel SDM Vol. 1 §3.4.3), and what is always so in ring 3: IF
// and bit 1.
constexpr std::uint64_t flags_of_choice = 0x244dd5;
constexpr std::uint64_t flags_always = 0x202;

}  // namespace

reprise_frame frame_of(const arch::UserState& state) {
  reprise_frame frame{};
  for (const Field& field : fields) frame.*field.member = state[field.of];
  return frame;
}

void set_registers(arch::UserState& state, const reprise_frame& frame) {
  for (const Field& field : fields) state[field.of] = frame.*field.member;
  state[Register::Rflags] = (frame.rflags & flags_of_choice) | flags_always;
}

}  // namespace reprise
