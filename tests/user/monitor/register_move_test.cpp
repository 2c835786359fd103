#include "user/monitor/register_move.hpp"

#include <array>
#include <string>

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::RegisterMove;
using namespace std::string_literals;

constexpr std::uint64_t code = 0x7000;
constexpr std::uint16_t flat_32 = 0xc9b, flat_64 = 0xa9b;
constexpr std::uint64_t debug_exception = REPRISE_EVENT_EXCEPTION | 1;
constexpr std::uint64_t undefined_instruction = REPRISE_EVENT_EXCEPTION | 6;
constexpr std::uint64_t general_protection =
    REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13;
constexpr std::uint64_t page_fault = REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 14;
constexpr std::uint64_t dr6_initial = 0xffff0ff0, dr7_initial = 0x400;

// A guest without paging whose next instruction is at `code`, in 64-bit code unless a test says
// otherwise.
struct Guest {
  test::FakeMemory memory{0x10000};
  reprise_guest_state state{};
  std::uint64_t absent = 0;

  explicit Guest(const std::string& instruction) {
    state.cs.attributes = flat_64;
    state.efer = 0x500;
    state.rip = code;
    state.dr6 = dr6_initial;
    state.dr7 = dr7_initial;
    put(code, instruction);
  }
  void put(std::uint64_t address, const std::string& bytes) {
    REQUIRE(memory.write(address, bytes.data(), bytes.size()));
  }
  void becomes_32_bit() {
    state.cs.attributes = flat_32;
    state.efer = 0;
  }
  RegisterMove::Outcome carry_out() {
    RegisterMove move{state, memory};
    const auto outcome = move.carry_out();
    absent = move.absent_address();
    return outcome;
  }
  // Carries it out, and says which exception came of it: 0 for none.
  std::uint64_t event() {
    REQUIRE(carry_out() == RegisterMove::Outcome::GoesOn);
    return state.event;
  }
};

}  // namespace

TEST_CASE("a debug register is read and written, and the guest goes on behind the instruction") {
  Guest write{"\x0f\x23\xda"};  // mov dr3, rdx
  write.state.rdx = 0x1122334455667788;
  write.state.shadow = 1;
  CHECK(write.event() == 0);
  CHECK(write.state.dr3 == 0x1122334455667788);
  CHECK(write.state.rip == code + 3);
  CHECK(write.state.shadow == 0);
  Guest read{"\x0f\x21\xce"};  // mov rsi, dr1
  read.state.dr1 = 0x8877665544332211;
  CHECK(read.event() == 0);
  CHECK(read.state.rsi == 0x8877665544332211);
  CHECK(read.state.rip == code + 3);
}

TEST_CASE("each number means its general register, with and without REX") {
  constexpr std::array order{
      &reprise_guest_state::rax, &reprise_guest_state::rcx, &reprise_guest_state::rdx,
      &reprise_guest_state::rbx, &reprise_guest_state::rsp, &reprise_guest_state::rbp,
      &reprise_guest_state::rsi, &reprise_guest_state::rdi, &reprise_guest_state::r8,
      &reprise_guest_state::r9,  &reprise_guest_state::r10, &reprise_guest_state::r11,
      &reprise_guest_state::r12, &reprise_guest_state::r13, &reprise_guest_state::r14,
      &reprise_guest_state::r15};
  for (unsigned i = 0; i < order.size(); ++i) {
    const std::string rex = i < 8 ? "\x40" : "\x41";
    Guest guest{rex + "\x0f\x21" + static_cast<char>(0xd0 | (i & 7))};  // mov REGISTER, dr2
    guest.state.dr2 = 0x1000 + i;
    CHECK(guest.event() == 0);
    CHECK(guest.state.*order[i] == 0x1000 + i);
    CHECK(guest.state.rip == code + 4);
  }
}

TEST_CASE("the mod bits say nothing") {
  Guest guest{"\x0f\x23\x03"};  // mov dr0, rbx
  guest.state.rbx = 0x1234;
  CHECK(guest.event() == 0);
  CHECK(guest.state.dr0 == 0x1234);
}

TEST_CASE("32-bit code moves 32 bits, and its code segment's base counts") {
  Guest guest{"\x90\x0f\x23\xc0"s};  // mov dr0, eax
  guest.becomes_32_bit();
  guest.state.cs.base = code - 0x50;
  guest.state.rip = 0x51;
  guest.state.rax = 0x1122334455667788;
  CHECK(guest.event() == 0);
  CHECK(guest.state.dr0 == 0x55667788);
  CHECK(guest.state.rip == 0x54);
  Guest read{"\x0f\x21\xc0"s};
  read.state.cs.attributes = flat_32;  // compatibility mode
  read.state.dr0 = 0x1122334455667788;
  CHECK(read.event() == 0);
  CHECK(read.state.rax == 0x55667788);
  Guest upper{"\x0f\x23\xf0"s};
  upper.becomes_32_bit();
  upper.state.rax = 0x1'00000001;
  CHECK(upper.event() == 0);
  CHECK(upper.state.dr6 == (dr6_initial | 1));
}

TEST_CASE("32-bit code's addresses wrap at 4 GiB, and 64-bit code has no base") {
  Guest wraps{"\x0f\x23\xc0"s};
  wraps.becomes_32_bit();
  wraps.state.efer = 0x500;
  wraps.state.cs.base = 0xffffff00;
  wraps.state.rip = code + 0x100;
  CHECK(wraps.event() == 0);
  CHECK(wraps.state.rip == code + 0x103);
  Guest flat{"\x0f\x23\xc0"s};
  flat.state.cs.base = 0x100;
  CHECK(flat.event() == 0);
  CHECK(flat.state.rip == code + 3);
}

TEST_CASE("DR6 and DR7 have fixed bits, and no upper half") {
  Guest dr6{"\x0f\x23\xf0"};
  dr6.state.rax = 0;
  CHECK(dr6.event() == 0);
  CHECK(dr6.state.dr6 == 0xffff0ff0);
  Guest all6{"\x0f\x23\xf0"};
  all6.state.rax = 0xffffffff;
  CHECK(all6.event() == 0);
  CHECK(all6.state.dr6 == 0xffffefff);
  Guest dr7{"\x0f\x23\xf8"};
  dr7.state.rax = 0;
  CHECK(dr7.event() == 0);
  CHECK(dr7.state.dr7 == 0x400);
  Guest all7{"\x0f\x23\xf8"};
  all7.state.rax = 0xffffffff;
  CHECK(all7.event() == 0);
  CHECK(all7.state.dr7 == 0xffff27ff);
  for (const std::string instruction : {"\x0f\x23\xf0", "\x0f\x23\xf8"}) {
    Guest refused{instruction};
    refused.state.rax = 1ul << 32;
    CHECK(refused.event() == general_protection);
    CHECK(refused.state.dr6 == dr6_initial);
    CHECK(refused.state.dr7 == dr7_initial);
    CHECK(refused.state.rip == code);
  }
}

TEST_CASE("DR4 and DR5 mean DR6 and DR7, unless debug extensions are on") {
  Guest four{"\x0f\x21\xe0"};
  four.state.dr6 = 0xffff4ff1;
  CHECK(four.event() == 0);
  CHECK(four.state.rax == 0xffff4ff1);
  Guest five{"\x0f\x23\xe8"};
  five.state.rax = 0x55;
  CHECK(five.event() == 0);
  CHECK(five.state.dr7 == 0x455);
  for (const std::string instruction : {"\x0f\x21\xe0", "\x0f\x23\xe8"}) {
    Guest extended{instruction};
    extended.state.cr4 = 1 << 3;
    CHECK(extended.event() == undefined_instruction);
    CHECK(extended.state.rip == code);
  }
  Guest six{"\x0f\x21\xf0"};
  six.state.cr4 = 1 << 3;
  CHECK(six.event() == 0);
  CHECK(six.state.rax == dr6_initial);
}

TEST_CASE("there is no DR8") {
  Guest guest{"\x44\x0f\x21\xc0"};
  CHECK(guest.event() == undefined_instruction);
}

TEST_CASE("CR8 takes four bits") {
  Guest guest{"\x45\x0f\x22\xc1"};  // mov cr8, r9
  guest.state.r9 = 15;
  CHECK(guest.event() == 0);
  CHECK(guest.state.cr8 == 15);
  CHECK(guest.state.rip == code + 4);
  Guest refused{"\x44\x0f\x22\xc0"};
  refused.state.rax = 16;
  CHECK(refused.event() == general_protection);
  CHECK(refused.state.cr8 == 0);
  CHECK(refused.state.rip == code);
}

TEST_CASE("LOCK before CR0 means CR8, and CR0 itself is not the monitor's") {
  Guest guest{"\xf0\x0f\x22\xc3"};  // lock mov cr0, ebx
  guest.becomes_32_bit();
  guest.state.rbx = 7;
  CHECK(guest.event() == 0);
  CHECK(guest.state.cr8 == 7);
  CHECK(guest.state.cr0 == 0);
  Guest cr0{"\x0f\x22\xc3"};
  CHECK(cr0.event() == undefined_instruction);
}

TEST_CASE("prefixes are passed over, and REX counts only directly before the opcode") {
  Guest guest{"\x66\x2e\xf2\x45\x0f\x22\xc1"};
  guest.state.r9 = 3;
  CHECK(guest.event() == 0);
  CHECK(guest.state.cr8 == 3);
  CHECK(guest.state.rip == code + 7);
  Guest early{"\x41\x66\x0f\x23\xc1"};  // mov dr0, rcx
  early.state.rcx = 1;
  early.state.r9 = 2;
  CHECK(early.event() == 0);
  CHECK(early.state.dr0 == 1);
}

TEST_CASE("32-bit code has no REX, and other instructions are undefined") {
  Guest no_rex{"\x41\x0f\x23\xc0"};
  no_rex.becomes_32_bit();
  CHECK(no_rex.event() == undefined_instruction);
  Guest other{"\x0f\x20\xc0"};
  CHECK(other.event() == undefined_instruction);
  CHECK(other.state.rip == code);
}

TEST_CASE("no instruction has more than 15 bytes") {
  Guest longest{std::string(12, '\x66') + "\x0f\x23\xc0"};
  longest.state.rax = 9;
  CHECK(longest.event() == 0);
  CHECK(longest.state.dr0 == 9);
  CHECK(longest.state.rip == code + 15);
  Guest longer{std::string(13, '\x66') + "\x0f\x23\xc0"};
  CHECK(longer.event() == general_protection);
}

TEST_CASE("an instruction may cross into another page, which is looked up only when needed") {
  const auto with_paging = [](Guest& guest) {
    guest.becomes_32_bit();
    guest.state.cr0 = 1ul << 31 | 1;
    guest.state.cr3 = 0x1000;
    guest.memory.set<std::uint32_t>(0x1000, 0x2000 | 7);
    guest.memory.set<std::uint32_t>(0x2000 + 4 * 0x30, 0x7000 | 7);
  };
  Guest crosses{""};
  with_paging(crosses);
  crosses.put(0x7ffe, "\x0f\x23");
  crosses.put(0x9000, "\xc8");
  crosses.memory.set<std::uint32_t>(0x2000 + 4 * 0x31, 0x9000 | 7);
  crosses.state.rip = 0x30ffe;
  crosses.state.rax = 5;
  CHECK(crosses.event() == 0);
  CHECK(crosses.state.dr1 == 5);
  CHECK(crosses.state.rip == 0x31001);
  Guest ends{""};
  with_paging(ends);
  ends.put(0x7ffd, "\x0f\x23\xc8");
  ends.state.rip = 0x30ffd;
  ends.state.rax = 6;
  CHECK(ends.event() == 0);
  CHECK(ends.state.dr1 == 6);
  Guest faults{""};
  with_paging(faults);
  faults.put(0x7ffe, "\x0f\x23");
  faults.state.rip = 0x30ffe;
  CHECK(faults.event() == page_fault);
  CHECK(faults.state.cr2 == 0x31000);
  CHECK(faults.state.rip == 0x30ffe);
}

TEST_CASE("code in memory that is not there is told with its address") {
  Guest guest{""};
  guest.state.rip = 0x20000;
  CHECK(guest.carry_out() == RegisterMove::Outcome::NoMemory);
  CHECK(guest.absent == 0x20000);
}

TEST_CASE("a single step ends behind the instruction, a mark of the step in DR6") {
  Guest guest{"\x0f\x23\xf0"};  // mov dr6, rax
  guest.state.rflags = 1 << 8 | 2;
  guest.state.rax = 1;
  CHECK(guest.event() == debug_exception);
  CHECK(guest.state.rip == code + 3);
  CHECK(guest.state.dr6 == (dr6_initial | 1 << 14 | 1));
  Guest refused{"\x44\x0f\x22\xc0"};
  refused.state.rflags = 1 << 8 | 2;
  refused.state.rax = 16;
  CHECK(refused.event() == general_protection);
  CHECK(refused.state.dr6 == dr6_initial);
}

TEST_CASE("the resume flag ends with the instruction, and stays at a fault") {
  Guest guest{"\x0f\x23\xc0"};
  guest.state.rflags = 1 << 16 | 0x246;
  CHECK(guest.event() == 0);
  CHECK(guest.state.rflags == 0x246);
  Guest refused{"\x44\x0f\x21\xc0"};
  refused.state.rflags = 1 << 16 | 0x246;
  CHECK(refused.event() == undefined_instruction);
  CHECK(refused.state.rflags == (1 << 16 | 0x246));
}

TEST_CASE("general detect: an access to a debug register is an exception before it, once") {
  for (const std::string instruction : {"\x0f\x21\xc0", "\x0f\x23\xc0"}) {
    Guest guest{instruction};
    guest.state.dr7 = dr7_initial | 1 << 13;
    guest.state.rax = 1;
    guest.state.dr0 = 2;
    CHECK(guest.event() == debug_exception);
    CHECK(guest.state.dr6 == (dr6_initial | 1 << 13));
    CHECK(guest.state.dr7 == dr7_initial);
    CHECK(guest.state.rax == 1);
    CHECK(guest.state.dr0 == 2);
    CHECK(guest.state.rip == code);
  }
  Guest cr8{"\x44\x0f\x22\xc0"};
  cr8.state.dr7 = dr7_initial | 1 << 13;
  CHECK(cr8.event() == 0);
}
