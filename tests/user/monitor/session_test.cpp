// The monitor's loop with a guest that is a list of stops.
#include "user/monitor/session.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "kernel/abi/reprise.h"
#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::GuestTime;
using monitor::Verdict;

// A stop, and what the monitor has answered to the one before.
using Stop = std::function<void(reprise_guest_run&)>;

constexpr std::uint64_t millisecond = 1'000'000;

struct Guest final : monitor::GuestProcess {
  test::FakeMemory memory{0x10000};
  reprise_guest_state state{};
  std::deque<Stop> stops;
  std::vector<reprise_guest_run> answers;
  std::int64_t error = 0;

  bool read(std::uint64_t address, void* to, std::uint64_t bytes) override {
    return memory.read(address, to, bytes);
  }
  bool write(std::uint64_t address, const void* from, std::uint64_t bytes) override {
    return memory.write(address, from, bytes);
  }
  std::int64_t get_state(reprise_guest_state& to) override {
    to = state;
    return error;
  }
  std::int64_t set_state(const reprise_guest_state& from) override {
    state = from;
    return error;
  }
  std::int64_t run(reprise_guest_run& run) override {
    answers.push_back(run);
    run.time += run.skip + 1'000;
    run.bytes = run.write = run.string = run.ready = run.address = 0;
    if (stops.empty()) return -REPRISE_GONE;
    stops.front()(run);
    stops.pop_front();
    return 0;
  }
};

struct Outside final : monitor::Outside {
  std::uint64_t now = 500;
  unsigned notes = 0, reads = 0;
  std::string typed;
  bool ended = false;
  std::vector<std::uint32_t> msrs;
  std::uint64_t components = 0;

  std::uint64_t time() override { return now; }
  void sleep_until(std::uint64_t until) override {
    REQUIRE(until >= now);
    now = until;
  }
  void take_notes() override { ++notes; }
  Input read_input(std::span<char> room) override {
    ++reads;
    const std::size_t bytes = typed.copy(room.data(), room.size());
    typed.erase(0, bytes);
    return {.bytes = bytes, .ended = ended && bytes == 0};
  }
  monitor::CpuidWords cpuid(std::uint32_t, std::uint32_t) override {
    return {.eax = 1, .ebx = 2, .ecx = 3, .edx = 4};
  }
  std::uint64_t extended_components() override { return components; }
  void name(std::uint16_t, bool) override {}
  void name_msr(std::uint32_t msr, bool) override { msrs.push_back(msr); }
};

struct Written final : monitor::TextOutput {
  std::string text;
  void write(std::string_view piece) override { text += piece; }
};

struct Run {
  Guest guest;
  Outside outside;
  Written written;
  monitor::ConsoleOutput output{written};
  monitor::Computer computer{{.wall_seconds = 0, .memory_bytes = 1 << 20}, output, outside};
  monitor::Session session{guest, outside, computer, output};

  void stop(Stop stop) { guest.stops.push_back(std::move(stop)); }
  void reason(std::uint64_t reason) {
    stop([=](reprise_guest_run& run) { run.reason = reason; });
  }
  void out(std::uint16_t port, std::uint64_t value, std::uint64_t ready = 0) {
    stop([=](reprise_guest_run& run) {
      run.reason = REPRISE_GUEST_IO;
      run.address = port;
      run.bytes = run.write = 1;
      run.rax = value;
      run.ready = ready;
    });
  }
  void in(std::uint16_t port, std::uint64_t bytes, std::uint64_t rax) {
    stop([=](reprise_guest_run& run) {
      run.reason = REPRISE_GUEST_IO;
      run.address = port;
      run.bytes = bytes;
      run.rax = rax;
    });
  }
  void msr(std::uint32_t number, bool write, std::uint64_t value) {
    stop([=](reprise_guest_run& run) {
      run.reason = REPRISE_GUEST_MSR;
      run.address = number;
      run.write = write ? 1 : 0;
      run.rax = value & 0xffffffff;
      run.rdx = value >> 32;
    });
  }
  void set_up_interrupts() {
    for (const auto& [port, value] : {std::pair{0x20, 0x11},
                                      {0x21, 0x30},
                                      {0x21, 4},
                                      {0x21, 1},
                                      {0xa0, 0x11},
                                      {0xa1, 0x38},
                                      {0xa1, 2},
                                      {0xa1, 1}})
      out(static_cast<std::uint16_t>(port), static_cast<std::uint64_t>(value));
  }
  // Line 0, once, in `ticks` of the timer.
  void set_up_timer(unsigned ticks) {
    out(0x43, 0x38);
    out(0x40, ticks & 0xff);
    out(0x40, ticks >> 8);
  }
  void power_off() {
    stop([this](reprise_guest_run& run) {
      guest.state.rflags = 2;
      run.reason = REPRISE_GUEST_HALT;
    });
  }
  // Lets it run, and halts it for good behind the last stop.
  void to_power_off() {
    power_off();
    REQUIRE(session.run().verdict == Verdict::PoweredOff);
  }
  void halt(std::uint64_t ready = 1) {
    stop([this, ready](reprise_guest_run& run) {
      guest.state.rflags = 0x202;
      run.reason = REPRISE_GUEST_HALT;
      run.ready = ready;
    });
  }
  const reprise_guest_run& answer(std::size_t index) { return guest.answers.at(index); }
};

}  // namespace

TEST_CASE("what the guest prints comes out, and a halt with interrupts off is its power-off") {
  Run run;
  for (const char c : std::string{"hi"}) run.out(0x3f8, static_cast<unsigned char>(c));
  run.power_off();
  const auto result = run.session.run();
  CHECK(result.verdict == Verdict::PoweredOff);
  CHECK(run.written.text == "hi");
  CHECK(run.answer(0).done == 0);
  CHECK(run.answer(1).done == 1);
}

TEST_CASE("IN merges its bytes into RAX, and four bytes clear the upper half") {
  Run run;
  run.in(0x71, 1, 0x1122334455667788);
  run.in(0x300, 2, 0x1122334455660000);
  run.in(0x300, 4, 0x1122334455667788);
  run.to_power_off();
  CHECK(run.answer(1).rax == 0x1122334455667700);  // the clock's seconds, 1970-01-01
  CHECK(run.answer(2).rax == 0x112233445566ffff);
  CHECK(run.answer(3).rax == 0xffffffff);
  CHECK(run.answer(3).done == 1);
}

TEST_CASE("the timer's interrupt waits for the guest to be ready, and a window is asked for") {
  Run run;
  run.set_up_interrupts();
  run.set_up_timer(100);
  const std::size_t next = 11;
  run.stop([](reprise_guest_run& r) {
    r.time = r.deadline;
    r.reason = REPRISE_GUEST_TIME;
  });
  run.stop([](reprise_guest_run& r) {
    r.time = r.deadline;
    r.reason = REPRISE_GUEST_TIME;
  });
  run.stop([](reprise_guest_run& r) {
    r.reason = REPRISE_GUEST_WINDOW;
    r.ready = 1;
  });
  run.to_power_off();
  CHECK(run.answer(next).deadline < millisecond);
  CHECK(run.answer(next + 2).window == 1);
  CHECK(run.answer(next + 2).event == 0);
  CHECK(run.answer(next + 3).event == (REPRISE_EVENT_INTERRUPT | 0x30));
  CHECK(run.answer(next + 3).window == 0);
  CHECK(run.answer(next + 3).done == 0);
}

TEST_CASE("a halted guest sleeps until its timer's interrupt, and that time passes for it") {
  Run run;
  run.set_up_interrupts();
  run.set_up_timer(59'659);  // 50 ms
  run.halt();
  run.to_power_off();
  const reprise_guest_run& woken = run.answer(12);
  CHECK(woken.done == 1);
  CHECK(woken.event == (REPRISE_EVENT_INTERRUPT | 0x30));
  CHECK(woken.skip > 49 * millisecond);
  CHECK(woken.skip < 51 * millisecond);
  CHECK(run.outside.now - 500 == woken.skip);
  CHECK(run.answer(13 - 1).skip != 0);
  CHECK(run.guest.answers.size() == 13);
}

TEST_CASE("a halt behind STI is over when the interrupt comes, and no window is waited for") {
  Run run;
  run.set_up_interrupts();
  run.set_up_timer(1'000);
  run.halt(0);
  run.to_power_off();
  CHECK(run.answer(12).done == 1);
  CHECK(run.answer(12).event == (REPRISE_EVENT_INTERRUPT | 0x30));
  CHECK(run.answer(12).window == 0);
}

TEST_CASE("typed characters wake a halted guest that listens, not one that does not") {
  Run run;
  run.outside.typed = "ls\n";
  run.set_up_interrupts();
  run.stop([](reprise_guest_run& r) {  // long before anybody listens
    r.time += 100 * millisecond;
    r.reason = REPRISE_GUEST_TIME;
  });
  run.out(0x3fa, 0x07);
  run.out(0x3fc, 0x0b);
  run.out(0x3f9, 0x01);
  run.halt();
  run.in(0x3f8, 1, 0);
  run.in(0x3f8, 1, 0);
  run.in(0x3f8, 1, 0);
  run.to_power_off();
  const reprise_guest_run& woken = run.answer(13);
  CHECK(woken.event == (REPRISE_EVENT_INTERRUPT | 0x34));
  CHECK(woken.skip <= 10 * millisecond);
  CHECK(run.answer(14).rax == 'l');
  CHECK(run.answer(15).rax == 's');
  CHECK(run.answer(16).rax == '\n');
}

TEST_CASE("a halt that nothing will ever end is told") {
  Run run;
  run.outside.ended = true;
  run.out(0x3f9, 0x01);
  run.halt();
  CHECK(run.session.run().verdict == Verdict::NothingWakes);
}

TEST_CASE("input that may still come is nothing to a halted guest that does not listen") {
  Run run;
  run.outside.typed = "ls\n";
  run.halt();
  CHECK(run.session.run().verdict == Verdict::NothingWakes);
}

TEST_CASE("an unfinished line comes out while the guest computes") {
  Run run;
  run.out(0x3f8, '$');
  run.stop([](reprise_guest_run& r) {
    r.time += 30 * millisecond;
    r.reason = REPRISE_GUEST_TIME;
  });
  run.stop([&](reprise_guest_run& r) {
    CHECK(run.written.text == "$");
    r.reason = REPRISE_GUEST_TIME;
  });
  run.to_power_off();
  CHECK(run.answer(1).deadline <= 20 * millisecond + 2'000);
}

TEST_CASE("CPUID is answered through the policy") {
  Run run;
  run.stop([](reprise_guest_run& r) {
    r.reason = REPRISE_GUEST_CPUID;
    r.rax = 0;
    r.rcx = 77;
  });
  run.to_power_off();
  CHECK(run.answer(1).rax == 1);
  CHECK(run.answer(1).rbx == 2);
  CHECK(run.answer(1).rcx == 3);
  CHECK(run.answer(1).rdx == 4);
  CHECK(run.answer(1).done == 1);
}

TEST_CASE(
    "MSRs: the state's are changed there, a refused write is an exception, others are named once") {
  Run run;
  run.msr(0xc0000080, true, 0x901);
  run.msr(0xc0000080, false, 0);
  run.msr(0xc0000080, true, 1ul << 40);
  run.msr(0x1234, false, 0xffffffffffffffff);
  run.msr(0x1234, true, 1);
  run.to_power_off();
  CHECK(run.guest.state.efer == 0x901);
  CHECK(run.answer(1).done == 1);
  CHECK(run.answer(2).rax == 0x901);
  CHECK(run.answer(3).done == 0);
  CHECK(run.guest.state.event == (REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13));
  CHECK(run.answer(4).rax == 0);
  CHECK(run.answer(4).rdx == 0);
  CHECK(run.outside.msrs == std::vector<std::uint32_t>{0x1234});
}

TEST_CASE("XSETBV changes XCR0, or is refused with a general protection exception") {
  Run run;
  run.outside.components = 7;
  run.guest.state.cr4 = 1 << 18;
  run.guest.state.xcr0 = 1;
  for (const std::uint64_t value : {7, 6}) {
    run.stop([=](reprise_guest_run& r) {
      r.reason = REPRISE_GUEST_XSETBV;
      r.rax = value;
      r.rcx = r.rdx = 0;
    });
  }
  run.to_power_off();
  CHECK(run.guest.state.xcr0 == 7);
  CHECK(run.answer(1).done == 1);
  CHECK(run.answer(2).done == 0);
  CHECK(run.guest.state.event == (REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 13));
}

TEST_CASE(
    "VMMCALL is undefined, as is XSETBV without XSAVE; no interrupt comes with the exception") {
  for (const auto reason : {REPRISE_GUEST_CALL, REPRISE_GUEST_XSETBV}) {
    Run run;
    run.set_up_interrupts();
    run.set_up_timer(10);
    run.stop([=](reprise_guest_run& r) {
      r.time += millisecond;
      r.reason = reason;
      r.ready = 1;
    });
    run.to_power_off();
    CHECK(run.guest.state.event == (REPRISE_EVENT_EXCEPTION | 6));
    CHECK(run.answer(12).event == 0);
    CHECK(run.answer(12).done == 0);
    CHECK(run.answer(12).window == 1);
  }
}

TEST_CASE("OUTS is carried out with the guest's memory and state") {
  Run run;
  run.guest.state.cs.attributes = 0xc9b;
  run.guest.state.rip = 0x100;
  run.guest.state.next_rip = 0x102;
  run.guest.state.rsi = 0x200;
  run.guest.state.rcx = 3;
  run.guest.memory.set<std::uint16_t>(0x100, 0x6ef3);
  run.guest.memory.set<std::uint32_t>(0x200, 0x00636261);
  run.stop([](reprise_guest_run& r) {
    r.reason = REPRISE_GUEST_IO;
    r.address = 0x3f8;
    r.bytes = r.write = 1;
    r.string = 3;
  });
  run.to_power_off();
  CHECK(run.written.text == "abc");
  CHECK(run.guest.state.rip == 0x102);
  CHECK(run.answer(1).done == 0);
}

TEST_CASE("a MOV to a debug register is carried out in the guest's state") {
  Run run;
  run.set_up_interrupts();
  run.set_up_timer(10);
  run.guest.state.cs.attributes = 0xc9b;
  run.guest.state.rip = 0x100;
  run.guest.state.rax = 0x1234;
  run.guest.memory.set<std::uint32_t>(0x100, 0xc8230f);
  run.stop([](reprise_guest_run& r) {
    r.time += millisecond;
    r.reason = REPRISE_GUEST_REGISTER;
    r.ready = 1;
  });
  run.to_power_off();
  CHECK(run.guest.state.dr1 == 0x1234);
  CHECK(run.guest.state.rip == 0x103);
  CHECK(run.answer(12).done == 0);
  CHECK(run.answer(12).event == 0);  // a trap may be on its way
  CHECK(run.answer(12).window == 1);
  Run absent;
  absent.guest.state.rip = 0x20000;
  absent.reason(REPRISE_GUEST_REGISTER);
  const auto gone = absent.session.run();
  CHECK(gone.verdict == Verdict::AbsentMemory);
  CHECK(gone.address == 0x20000);
  CHECK_FALSE(gone.is_write);
}

TEST_CASE("each end has its verdict") {
  const auto verdict_of = [](std::uint64_t reason, bool prints) {
    Run run;
    if (prints) run.out(0x3f8, 'x');
    run.reason(reason);
    return run.session.run().verdict;
  };
  CHECK(verdict_of(REPRISE_GUEST_SHUTDOWN, false) == Verdict::TripleFault);
  CHECK(verdict_of(REPRISE_GUEST_SHUTDOWN, true) == Verdict::Reset);
  CHECK(verdict_of(REPRISE_GUEST_INVALID, true) == Verdict::InvalidState);
  CHECK(verdict_of(REPRISE_GUEST_MEMORY_GONE, true) == Verdict::MemoryGone);
  CHECK(verdict_of(REPRISE_GUEST_STANDING, true) == Verdict::Standing);
  CHECK(verdict_of(REPRISE_GUEST_ENDED, true) == Verdict::Ended);
  CHECK(verdict_of(99, true) == Verdict::CallFailed);
}

TEST_CASE("status port, reset, absent memory and a refused call end the session with their facts") {
  Run status;
  status.out(0xf4, 42);
  const auto own = status.session.run();
  CHECK(own.verdict == Verdict::Status);
  CHECK(own.status == 42);
  Run reset;
  reset.out(0x64, 0xfe);
  CHECK(reset.session.run().verdict == Verdict::Reset);
  Run absent;
  absent.stop([](reprise_guest_run& r) {
    r.reason = REPRISE_GUEST_MEMORY;
    r.address = 0xfee00000;
    r.write = 1;
    r.rip = 0x1234;
  });
  const auto gone = absent.session.run();
  CHECK(gone.verdict == Verdict::AbsentMemory);
  CHECK(gone.address == 0xfee00000);
  CHECK(gone.is_write);
  CHECK(gone.rip == 0x1234);
  Run refused;
  const auto failed = refused.session.run();
  CHECK(failed.verdict == Verdict::CallFailed);
  CHECK(failed.error == -REPRISE_GONE);
}

TEST_CASE("a note is taken") {
  Run run;
  run.reason(REPRISE_GUEST_NOTE);
  run.to_power_off();
  CHECK(run.outside.notes == 1);
}
