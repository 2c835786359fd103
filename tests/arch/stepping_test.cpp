// What a step does with each kind of instruction: how it is told from its bytes, which traps are
// set up, and that afterwards the registers are as if the program had run by itself.
#include "arch/stepping.hpp"

#include <initializer_list>
#include <vector>

#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "tests/catch.hpp"

using namespace arch;
using Kind = InstructionShape::Kind;
using While = InstructionShape::While;
using reprise::UserAddr;

namespace {

bool single_step = false;
std::optional<UserAddr> target_break, behind_break;

using Code = std::vector<std::uint8_t>;

// A program at 1000h with a count, and a first run that stopped at `left` of it.
struct Program {
  explicit Program(std::uint64_t count, std::uint64_t left) {
    live[Register::Rip] = target[Register::Rip] = 0x1000;
    live[Register::Rcx] = count;
    target[Register::Rcx] = left;
    stepper.watch(UserAddr{0x1000});
  }
  void begin(const Code& code) { stepper.begin(live, target, code); }
  // The CPU got behind the instruction (or stayed at it) with so much of the count left.
  bool ended(std::uint64_t rip, std::uint64_t count) {
    live[Register::Rip] = rip;
    live[Register::Rcx] = count;
    return stepper.end(live);
  }
  UserState live, target;
  Stepper stepper;
};

const Code rep_movsb{0xf3, 0xa4};
const Code repe_cmpsb{0xf3, 0xa6};
const Code repne_scasb{0xf2, 0xae};
constexpr std::uint64_t zf = 1 << 6;

}  // namespace

void arch::set_single_step(bool on) { single_step = on; }
void arch::set_breakpoint(BreakSlot slot, std::optional<UserAddr> address) {
  (slot == BreakSlot::Target ? target_break : behind_break) = address;
}

TEST_CASE("instructions that store or take the flags are gone around, with their prefixes") {
  for (const Code& code : {Code{0x9c}, Code{0x66, 0x9c}, Code{0x48, 0x9d}, Code{0xf3, 0x90}}) {
    const InstructionShape shape = shape_of(code);
    CHECK(shape.kind == Kind::Around);
    CHECK(shape.length == code.size());
  }
  CHECK(shape_of(Code{0x90}).kind == Kind::Plain);
  CHECK(shape_of(Code{0x41, 0x90}).kind == Kind::Plain);  // xchg r8d, eax
}

TEST_CASE("a system call brings its own trap") {
  CHECK(shape_of(Code{0x0f, 0x05}).kind == Kind::Call);
  CHECK(shape_of(Code{0x0f, 0x0b}).kind == Kind::Plain);
  CHECK(shape_of(Code{0x0f}).kind == Kind::Plain);  // the page ends here
}

TEST_CASE("every repeated string instruction is told, with its count's width and its condition") {
  for (const std::uint8_t opcode : {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf}) {
    CHECK(shape_of(Code{opcode}).kind == Kind::Plain);
    CHECK(shape_of(Code{0x48, opcode}).kind == Kind::Plain);
    for (const std::uint8_t repeat : {0xf2, 0xf3}) {
      const bool compares = (opcode & 0xf6) == 0xa6;
      const While repeats = !compares        ? While::Always
                            : repeat == 0xf3 ? While::Equal
                                             : While::Unequal;
      const InstructionShape shape = shape_of(Code{repeat, 0x48, opcode});
      CHECK(shape.kind == Kind::Repeated);
      CHECK(shape.length == 3);
      CHECK(shape.repeats == repeats);
      CHECK_FALSE(shape.narrow_count);
      CHECK(shape_of(Code{0x67, repeat, opcode}).narrow_count);
    }
  }
  CHECK(shape_of(Code{0xf3, 0x0f, 0x10, 0xc1}).kind == Kind::Plain);  // movss
}

TEST_CASE("MOV SS holds the trap back for one instruction, so both count as one") {
  CHECK(shape_of(Code{0x8e, 0xd0}).kind == Kind::Plain);
  CHECK(shape_of(Code{0x8e, 0xd8, 0x9c}).kind == Kind::Plain);  // mov ds
  const InstructionShape both = shape_of(Code{0x8e, 0xd0, 0x66, 0x9c});
  CHECK(both.kind == Kind::Around);
  CHECK(both.length == 4);
  CHECK(shape_of(Code{0x8e, 0xd0, 0x0f, 0x05}).kind == Kind::Call);
}

TEST_CASE("no code at all, or nothing but prefixes, is plain") {
  CHECK(shape_of({}).kind == Kind::Plain);
  CHECK(shape_of(Code(15, 0x66)).kind == Kind::Plain);
}

TEST_CASE("a plain instruction runs under the trap flag, the watched breakpoint stays") {
  Program p{0, 0};
  CHECK_FALSE(p.stepper.end(p.live));
  p.begin({0x90});
  CHECK(single_step);
  CHECK(target_break == UserAddr{0x1000});
  CHECK(p.ended(0x1001, 0));
  CHECK_FALSE(single_step);
  CHECK_FALSE(p.stepper.end(p.live));
}

TEST_CASE("PUSHF runs without the trap flag up to a breakpoint behind it") {
  Program p{0, 0};
  p.begin({0x66, 0x9c});
  CHECK_FALSE(single_step);
  CHECK(behind_break == UserAddr{0x1002});
  CHECK_FALSE(target_break);
  CHECK(p.ended(0x1002, 0));
  CHECK_FALSE(behind_break);
  CHECK(target_break == UserAddr{0x1000});
}

TEST_CASE("a repetition stops at the iteration of the first run, be it behind the last one") {
  const std::uint64_t left = GENERATE(300u, 0u);
  Program p{1000, left};
  p.begin(rep_movsb);
  CHECK(p.live[Register::Rcx] == 1000 - left);
  CHECK(behind_break == UserAddr{0x1002});
  p.ended(0x1002, 0);
  CHECK(p.live[Register::Rip] == 0x1000);
  CHECK(p.live[Register::Rcx] == left);
}

TEST_CASE("a trap within a repetition gives the count back") {
  Program p{1000, 300};
  p.begin(rep_movsb);
  p.ended(0x1000, 650);
  CHECK(p.live[Register::Rip] == 0x1000);
  CHECK(p.live[Register::Rcx] == 950);
}

TEST_CASE("a repetition that the first run is not in runs to its end") {
  for (const std::uint64_t left : {1000u, 2000u}) {
    Program p{1000, left};
    p.begin(rep_movsb);
    CHECK(p.live[Register::Rcx] == 1000);
    p.ended(0x1002, 0);
    CHECK(p.live[Register::Rip] == 0x1002);
  }
  Program elsewhere{1000, 300};
  elsewhere.target[Register::Rip] = 0x2000;
  elsewhere.begin(rep_movsb);
  CHECK(elsewhere.live[Register::Rcx] == 1000);
}

TEST_CASE("a comparison that its flag ends stays ended") {
  Program found{1000, 300};
  found.begin(repe_cmpsb);
  found.live[Register::Rflags] = 0;  // unequal: REPE ends, 40 before the cut count was used up
  found.ended(0x1002, 40);
  CHECK(found.live[Register::Rip] == 0x1002);
  CHECK(found.live[Register::Rcx] == 340);

  Program at_the_last{1000, 300};
  at_the_last.begin(repne_scasb);
  at_the_last.live[Register::Rflags] = zf;  // equal: REPNE ends, with the last of the cut count
  at_the_last.ended(0x1002, 0);
  CHECK(at_the_last.live[Register::Rip] == 0x1002);
  CHECK(at_the_last.live[Register::Rcx] == 300);

  Program goes_on{1000, 300};
  goes_on.begin(repne_scasb);
  goes_on.live[Register::Rflags] = 0;
  goes_on.ended(0x1002, 0);
  CHECK(goes_on.live[Register::Rip] == 0x1000);
  CHECK(goes_on.live[Register::Rcx] == 300);
}

TEST_CASE("with a narrow count only ECX counts") {
  Program p{0xffffffff'00000010, 0xaaaaaaaa'00000004};
  p.begin({0x67, 0xf3, 0xaa});
  CHECK(p.live[Register::Rcx] == 12);
  p.ended(0x1003, 0);
  CHECK(p.live[Register::Rcx] == 4);
}
