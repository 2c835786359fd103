// What stops a guest, and what becomes of it: the kernel's own answers, what its monitor is told,
// guest time, and the ends of guests. Each case is run with a guest that is hardened and one that
// is not.
#include "kernel/guest/stops.hpp"

#include <vector>

#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/guest.hpp"

using namespace reprise;
using arch::GuestExit;
using arch::Register;
using arch::Trap;
using arch::UserState;
using fakes::exits;
using fakes::exits_after;
using fakes::faults;
using fakes::go_on;
using fakes::Kernel;
using fakes::Stay;

namespace {

constexpr std::uint64_t code_at = 0x7000, interrupts_on = 0x202;
constexpr std::uint64_t invalid_opcode = REPRISE_EVENT_EXCEPTION | 6;
constexpr std::uint64_t general_protection =
    REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13;
constexpr std::uint64_t cost = REPRISE_GUEST_STOP_COST;
constexpr std::uint32_t read_absent = 4, write_absent = 6;  // error codes of page faults

struct Fixture : fakes::GuestMachine {
  Fixture() : GuestMachine{GENERATE(0ul, 1ul)} {
    reprise_guest_state state{};
    state.rax = 0xa0a0;
    state.rbx = 0xb0b0;
    state.rcx = 0xffff'ffff'c000'0080;
    state.rdx = 0xd0d0;
    state.rip = code_at;
    state.rflags = interrupts_on;
    set_state(state);
  }
};

// The event that the monitor or the kernel has put there is delivered.
Stay takes(std::uint64_t event, const Stay& then) {
  return [=](UserState& state) {
    arch::x86::Vmcb& block = state.virtual_cpu->block();
    CHECK(block.event == event);
    block.event = 0;
    return then(state);
  };
}

// The CPU stands at this address.
Stay at(std::uint64_t rip, const Stay& then) {
  return [=](UserState& state) {
    CHECK(state[Register::Rip] == rip);
    return then(state);
  };
}

const Stay halts = exits(GuestExit::Halt);

}  // namespace

// ---- What the monitor is told ----

TEST_CASE_METHOD(Fixture, "each stop that is the monitor's has its reason, and the registers") {
  struct Case {
    GuestExit code;
    reprise_guest_reason reason;
  };
  const auto c = GENERATE(
      Case{GuestExit::Cpuid, REPRISE_GUEST_CPUID}, Case{GuestExit::Halt, REPRISE_GUEST_HALT},
      Case{GuestExit::Call, REPRISE_GUEST_CALL}, Case{GuestExit::Shutdown, REPRISE_GUEST_SHUTDOWN},
      Case{GuestExit::Window, REPRISE_GUEST_WINDOW},
      Case{GuestExit::SetExtended, REPRISE_GUEST_XSETBV},
      Case{GuestExit::Invalid, REPRISE_GUEST_INVALID});
  const reprise_guest_run told = next_stop({exits(c.code)});
  CHECK(told.reason == c.reason);
  CHECK(told.rax == 0xa0a0);
  CHECK(told.rbx == 0xb0b0);
  CHECK(told.rcx == 0xffff'ffff'c000'0080);
  CHECK(told.rdx == 0xd0d0);
  CHECK(told.rip == code_at);
  CHECK(told.ready == 1);
  CHECK(told.time == cost);
  CHECK((told.address | told.bytes | told.write | told.string) == 0);
  CHECK_FALSE(guest.has_ended());
}

TEST_CASE_METHOD(Fixture, "an access to a port has port, bytes, direction and kind") {
  struct Case {
    std::uint64_t info, bytes, write, string;
  };
  const auto c = GENERATE(Case{0x03f8'0010 | 1, 1, 0, 0}, Case{0x03f8'0010, 1, 1, 0},
                          Case{0x03f8'0020, 2, 1, 0}, Case{0x03f8'0040 | 1, 4, 0, 0},
                          Case{0x03f8'0214 | 1, 1, 0, 1}, Case{0x03f8'022c, 2, 1, 3});
  const reprise_guest_run told = next_stop({exits(GuestExit::InputOutput, c.info, code_at + 1)});
  CHECK(told.reason == REPRISE_GUEST_IO);
  CHECK(told.address == 0x3f8);
  CHECK(told.bytes == c.bytes);
  CHECK(told.write == c.write);
  CHECK(told.string == c.string);
  CHECK(told.rax == 0xa0a0);
}

TEST_CASE_METHOD(Fixture, "an access to an MSR has the low half of RCX and the direction") {
  const std::uint64_t write = GENERATE(0ul, 1ul);
  const reprise_guest_run told = next_stop({exits(GuestExit::Msr, write)});
  CHECK(told.reason == REPRISE_GUEST_MSR);
  CHECK(told.address == 0xc000'0080);
  CHECK(told.write == write);
}

TEST_CASE_METHOD(Fixture, "an access to absent memory has its guest-physical address") {
  map(0, 1);
  for (const std::uint64_t address : {0x1234ul, user_high, 0xffff'ffff'ffff'fff8ul}) {
    reprise_guest_run told = next_stop({faults(address, read_absent)});
    CHECK(told.reason == REPRISE_GUEST_MEMORY);
    CHECK(told.address == address);
    CHECK(told.write == 0);
    CHECK(told.rip == code_at);
    told = next_stop({faults(address, write_absent)});
    CHECK(told.reason == REPRISE_GUEST_MEMORY);
    CHECK(told.address == address);
    CHECK(told.write == 1);
  }
}

TEST_CASE_METHOD(Fixture, "moves to CR8, and from and to debug registers, are the monitor's") {
  std::vector<std::uint32_t> codes{0x18};
  for (std::uint32_t code = 0x20; code <= 0x3f; ++code) codes.push_back(code);
  for (const std::uint32_t code : codes) {
    const reprise_guest_run told = next_stop({exits(static_cast<GuestExit>(code))});
    CHECK(told.reason == REPRISE_GUEST_REGISTER);
    CHECK(told.rip == code_at);
    CHECK((told.address | told.bytes | told.write | told.string) == 0);
  }
  for (const std::uint32_t code : {0x17, 0x19, 0x1f}) {
    const Stay moves = exits(static_cast<GuestExit>(code));
    CHECK(next_stop({moves, takes(invalid_opcode, halts)}).reason == REPRISE_GUEST_HALT);
  }
}

TEST_CASE_METHOD(Fixture, "a store to the guest's memory stops nothing, from address 0 on") {
  map(0, 2);
  const Stay stores = [](UserState& state) {
    for (const std::uint64_t address : {0ul, page_size}) {
      if (const auto fault = fakes::store_as(state, address, 0x77 + address)) return *fault;
    }
    return halts(state);
  };
  CHECK(next_stop({stores}).reason == REPRISE_GUEST_HALT);
  CHECK(guest.context().figures.elements == 1);
  for (const std::uint64_t address : {0ul, page_size}) {
    CHECK(call(REPRISE_GUEST_READ, address, fakes::somewhere, 8) == 0);
    CHECK(kernel.get<std::uint64_t>(monitor, fakes::somewhere) == 0x77 + address);
  }
}

TEST_CASE_METHOD(Fixture, "what the monitor writes is what the guest's next element finds") {
  map(0, 1);
  const Stay stores = [](UserState& state) {
    if (const auto fault = fakes::store_as(state, 0x10, 1)) return *fault;
    return halts(state);
  };
  const Stay adds = [](UserState& state) {
    const std::uint64_t found = fakes::load_as(state, 0x10);
    state[Register::Rbx] = found;
    if (const auto fault = fakes::store_as(state, 0x18, found + 1)) return *fault;
    return halts(state);
  };
  CHECK(next_stop({stores}).reason == REPRISE_GUEST_HALT);
  for (const std::uint64_t value : {50ul, 60ul}) {  // the engine knows the page by now
    kernel.put(monitor, fakes::somewhere, value);
    CHECK(call(REPRISE_GUEST_WRITE, 0x10, fakes::somewhere, 8) == 0);
    const reprise_guest_run told = next_stop({adds});
    CHECK(told.reason == REPRISE_GUEST_HALT);
    CHECK(told.rbx == value);
    CHECK(call(REPRISE_GUEST_READ, 0x18, fakes::somewhere, 8) == 0);
    CHECK(kernel.get<std::uint64_t>(monitor, fakes::somewhere) == value + 1);
  }
  if (guest.context().hardened()) CHECK(guest.context().engine().statistics().restarts == 0);
}

// ---- The kernel's own answers ----

TEST_CASE_METHOD(Fixture, "RDTSC gives guest time, and the guest goes on behind it") {
  reprise_guest_run answer = go_on;
  answer.skip = 5ul << 32;
  const reprise_guest_run told =
      next_stop({exits_after(700, GuestExit::TimeStamp), at(code_at + 2, halts)}, answer);
  CHECK(told.reason == REPRISE_GUEST_HALT);
  CHECK(told.rax == 700 + cost);
  CHECK(told.rdx == 5);
  CHECK(told.rip == code_at + 2);
}

TEST_CASE_METHOD(Fixture, "INVD does nothing, and the guest goes on behind it") {
  const reprise_guest_run told =
      next_stop({exits(GuestExit::InvalidateCaches), at(code_at + 2, takes(0, halts))});
  CHECK(told.reason == REPRISE_GUEST_HALT);
  CHECK(told.rax == 0xa0a0);
}

TEST_CASE_METHOD(Fixture, "RDPMC is a #GP") {
  const reprise_guest_run told = next_stop(
      {exits(GuestExit::PerformanceCounter), at(code_at, takes(general_protection, halts))});
  CHECK(told.reason == REPRISE_GUEST_HALT);
  CHECK(told.ready == 1);
  CHECK(told.time == 2 * cost);
}

TEST_CASE_METHOD(Fixture, "instructions that the guest's CPU does not have are a #UD") {
  // INVLPGA, VMRUN, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, RDTSCP, MONITOR, MWAIT twice, RDPRU
  for (const std::uint32_t code :
       {0x7a, 0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8b, 0x8c, 0x8e}) {
    const reprise_guest_run told =
        next_stop({exits(static_cast<GuestExit>(code)), at(code_at, takes(invalid_opcode, halts))});
    CHECK(told.reason == REPRISE_GUEST_HALT);
    CHECK(told.rip == code_at);
  }
}

TEST_CASE_METHOD(Fixture, "each exit counts by its kind, the kernel's and the monitor's") {
  static_cast<void>(
      next_stop({exits(GuestExit::TimeStamp), at(code_at + 2, exits(GuestExit::InvalidateCaches)),
                 at(code_at + 4, halts)}));
  for (const GuestExit code : {GuestExit::InputOutput, GuestExit::Cpuid, GuestExit::Msr,
                               GuestExit::ReadDr0, GuestExit::WriteCr8, GuestExit::Window}) {
    static_cast<void>(next_stop({exits(code)}));
  }
  // RDTSC, I/O, CPUID, MSR, HLT, MOV, window, others
  CHECK(guest.context().guest()->exits == GuestExits{1, 1, 1, 1, 1, 2, 1, 1});
  CHECK(guest.context().guest()->stops == 9);
}

// ---- The monitor's answers ----

TEST_CASE_METHOD(Fixture, "without `done` the guest keeps its registers and its place") {
  static_cast<void>(next_stop({exits(GuestExit::Cpuid)}));
  reprise_guest_run answer = go_on;
  answer.rax = answer.rbx = answer.rcx = answer.rdx = 99;
  const reprise_guest_run told = next_stop({at(code_at, halts)}, answer);
  CHECK(told.rax == 0xa0a0);
  CHECK(told.rbx == 0xb0b0);
  CHECK(told.rcx == 0xffff'ffff'c000'0080);
  CHECK(told.rdx == 0xd0d0);
}

TEST_CASE_METHOD(Fixture, "`done` gives RAX to RDX and goes on behind the instruction") {
  struct Case {
    GuestExit code;
    std::uint64_t length;
  };
  const auto c = GENERATE(Case{GuestExit::Cpuid, 2}, Case{GuestExit::Msr, 2},
                          Case{GuestExit::Halt, 1}, Case{GuestExit::Call, 3},
                          Case{GuestExit::SetExtended, 3}, Case{GuestExit::InputOutput, 5});
  static_cast<void>(next_stop({exits(c.code, 0, code_at + 5)}));
  reprise_guest_run answer = go_on;
  answer.done = 1;
  answer.rax = 1;
  answer.rbx = 2;
  answer.rcx = 3;
  answer.rdx = 4;
  const reprise_guest_run told = next_stop({at(code_at + c.length, halts)}, answer);
  CHECK(told.rax == 1);
  CHECK(told.rbx == 2);
  CHECK(told.rcx == 3);
  CHECK(told.rdx == 4);
  CHECK(told.rip == code_at + c.length);
}

TEST_CASE_METHOD(Fixture, "an event of the monitor's is delivered before the next instruction") {
  reprise_guest_run answer = go_on;
  answer.event = REPRISE_EVENT_INTERRUPT | 0x20;
  CHECK(next_stop({takes(answer.event, halts)}, answer).ready == 1);
}

TEST_CASE_METHOD(Fixture, "an event whose delivery was cut short is on its way, and comes first") {
  constexpr std::uint64_t event = REPRISE_EVENT_INTERRUPT | 0x20;
  const Stay cut_short = [](UserState& state) {
    state.virtual_cpu->block().event = event;
    return faults(0x9000, write_absent)(state);
  };
  const reprise_guest_run told = next_stop({cut_short});
  CHECK(told.reason == REPRISE_GUEST_MEMORY);
  CHECK(told.ready == 0);
  CHECK(next_stop({takes(event, halts)}).ready == 1);
}

TEST_CASE_METHOD(Fixture, "the window opens only when the monitor has asked for it") {
  using arch::x86::VirtualInterrupt;
  const Stay closed = [](UserState& state) {
    CHECK((state.virtual_cpu->block().virtual_interrupt & VirtualInterrupt::Irq) == 0);
    return halts(state);
  };
  const Stay open = [](UserState& state) {
    CHECK((state.virtual_cpu->block().virtual_interrupt & VirtualInterrupt::Irq) != 0);
    return halts(state);
  };
  reprise_guest_run answer = go_on;
  answer.window = 1;
  static_cast<void>(next_stop({closed}));
  static_cast<void>(next_stop({open}, answer));
  static_cast<void>(next_stop({closed}));
}

TEST_CASE_METHOD(Fixture, "a guest is ready for an interrupt with IF, and not behind STI") {
  const auto ready_with = [&](std::uint64_t flags, std::uint64_t shadow) {
    reprise_guest_state with = state();
    with.rflags = flags;
    with.shadow = shadow;
    set_state(with);
    return next_stop({halts}).ready;
  };
  CHECK(ready_with(interrupts_on, 0) == 1);
  CHECK(ready_with(2, 0) == 0);
  CHECK(ready_with(interrupts_on, 1) == 0);
}

// ---- Guest time ----

TEST_CASE_METHOD(Fixture,
                 "guest time is what it computes, what is skipped, and a cost for each stop") {
  CHECK(next_stop({exits_after(300, GuestExit::Cpuid)}).time == 300 + cost);
  fakes::hardware.now += 77777;  // the monitor's own time
  reprise_guest_run answer = go_on;
  answer.skip = 10'000;
  CHECK(next_stop({exits_after(40, GuestExit::Halt)}, answer).time == 340 + 2 * cost + 10'000);
  CHECK(next_stop({exits_after(1, GuestExit::InvalidateCaches), exits_after(1, GuestExit::Halt)})
            .time == 342 + 4 * cost + 10'000);
}

TEST_CASE_METHOD(Fixture, "the guest stops when its deadline has come, and not before") {
  reprise_guest_run answer = go_on;
  answer.deadline = 3 * cost + 30;
  const Stay reads_time = exits_after(10, GuestExit::TimeStamp);
  const reprise_guest_run told = next_stop({reads_time, reads_time, reads_time}, answer);
  CHECK(told.reason == REPRISE_GUEST_TIME);
  CHECK(told.time == answer.deadline);
  CHECK(told.rip == code_at + 6);
}

TEST_CASE_METHOD(Fixture, "a stop of the guest's own is told before the deadline is") {
  reprise_guest_run answer = go_on;
  answer.deadline = 0;
  CHECK(next_stop({exits(GuestExit::Cpuid)}, answer).reason == REPRISE_GUEST_CPUID);
  CHECK(next_stop({exits(GuestExit::InvalidateCaches)}, answer).reason == REPRISE_GUEST_TIME);
}

TEST_CASE("a guest that does not stop by itself has a deadline, too") {
  fakes::GuestMachine machine{0};
  reprise_guest_run answer = go_on;
  answer.deadline = 2000;
  const Stay computes = [](UserState& state) {
    fakes::hardware.now += 1000;
    state[Register::Rip] += 7;
    return Trap{.kind = Trap::Kind::Timer};
  };
  const reprise_guest_run told = machine.next_stop({computes, computes}, answer);
  CHECK(told.reason == REPRISE_GUEST_TIME);
  CHECK(told.time == 2000);
  CHECK(told.rip == 14);
}

TEST_CASE_METHOD(Fixture, "a note for the monitor stops the guest, behind a stop of its own") {
  CHECK(let_go() == 0);
  kernel.machine().ipc.notify(monitor, REPRISE_NOTE_ALARM);
  SECTION("at the end of any element") {
    supervise({exits(GuestExit::InvalidateCaches)});
    CHECK(told().reason == REPRISE_GUEST_NOTE);
    CHECK(told().rip == code_at + 2);
  }
  SECTION("what the guest itself has to say comes first") {
    supervise({exits(GuestExit::Cpuid)});
    CHECK(told().reason == REPRISE_GUEST_CPUID);
  }
  CHECK(Kernel::word(monitor, Register::Rsi) == REPRISE_NOTE_ALARM);  // by RECEIVE
}

TEST_CASE_METHOD(Fixture, "a note for somebody else does not stop the guest") {
  CHECK(let_go() == 0);
  Process& other = kernel.start();
  kernel.machine().ipc.notify(other, REPRISE_NOTE_ALARM);
  supervise({exits(GuestExit::InvalidateCaches), halts});
  CHECK(told().reason == REPRISE_GUEST_HALT);
}

// ---- The end ----

TEST_CASE_METHOD(Fixture,
                 "without frames for its pages the guest is over, and the monitor is told") {
  map(0, 8);
  CHECK(let_go() == 0);
  while (kernel.free_frames() > frames_for_init) {
    REQUIRE(kernel.machine().frames.allocate());
  }
  const Stay stores = [](UserState& state) {
    for (std::uint64_t page = 0; page < 8; ++page) {
      if (const auto fault = fakes::store_as(state, page * page_size, 1)) return *fault;
    }
    return halts(state);
  };
  supervise({stores});
  CHECK(told().reason == REPRISE_GUEST_MEMORY_GONE);
  CHECK(guest.ending.status == status_killed);
  CHECK(guest.has_ended());
  CHECK(let_go() == -REPRISE_GONE);
}

TEST_CASE("a mismatch that stands ends the guest, and the monitor is told") {
  fakes::GuestMachine machine{1};
  std::uint64_t runs = 0;
  const Stay differs = [&](UserState& state) {
    ++runs;
    state[Register::Rbx] = runs;
    return halts(state);
  };
  const reprise_guest_run told = machine.next_stop({differs});
  CHECK(told.reason == REPRISE_GUEST_STANDING);
  CHECK(told.rbx == 0);
  CHECK(machine.guest.has_ended());
  CHECK(machine.guest.ending.status == status_stopped);
}

TEST_CASE_METHOD(Fixture, "init ends a guest: its monitor is told, whatever the status says") {
  const std::uint64_t status = GENERATE(0ul, 9ul, std::uint64_t{status_killed});
  static_cast<void>(next_stop({exits(GuestExit::Cpuid)}));
  CHECK(let_go() == 0);
  CHECK(kernel.call(kernel.init(), REPRISE_END, guest.number(), status) == 0);
  CHECK(monitor.context().status == ContextStatus::Ready);
  CHECK(told().reason == REPRISE_GUEST_ENDED);
  CHECK(told().time == cost);
  CHECK(guest.has_ended());
  CHECK(guest.ending.status == status);
  CHECK(let_go() == -REPRISE_GONE);
}

TEST_CASE_METHOD(Fixture, "the end of a guest that waits leaves its monitor as it is") {
  static_cast<void>(next_stop({exits(GuestExit::Cpuid)}));
  const fakes::Picture before = kernel.picture_of(monitor);
  CHECK(kernel.call(kernel.init(), REPRISE_END, guest.number(), 0) == 0);
  const fakes::Picture after = kernel.picture_of(monitor);
  CHECK(after.pages == before.pages);
  CHECK(after.registers == before.registers);
  CHECK(after.status == before.status);
}

TEST_CASE_METHOD(Fixture, "with a monitor its guest ends, and no other") {
  Process& other_monitor = kernel.start();
  Process& other = kernel.start(fakes::guest_of(other_monitor));
  map(0, 3);
  const bool under_way = GENERATE(false, true);
  if (under_way) CHECK(let_go() == 0);
  SECTION("when it exits") {
    kernel.call(monitor, REPRISE_EXIT, 3);
    CHECK(monitor.ending.status == 3);
  }
  SECTION("when init ends it") {
    CHECK(kernel.call(kernel.init(), REPRISE_END, monitor.number(), 4) == 0);
    CHECK(monitor.ending.status == 4);
  }
  CHECK(monitor.has_ended());
  CHECK(guest.has_ended());
  CHECK(guest.ending.status == 0);
  CHECK_FALSE(other.has_ended());
  supervise({});
}

TEST_CASE_METHOD(Fixture, "the guest and its monitor take turns, and an ended guest has none") {
  CHECK(let_go() == 0);
  CHECK(monitor.context().status == ContextStatus::InGuest);
  CHECK(guest.context().status == ContextStatus::Ready);
  supervise({exits(GuestExit::Cpuid)});
  CHECK(monitor.context().status == ContextStatus::Receiving);
  CHECK(guest.context().status == ContextStatus::AtMonitor);
  CHECK(kernel.call(kernel.init(), REPRISE_END, guest.number(), 0) == 0);
  supervise({});
}
