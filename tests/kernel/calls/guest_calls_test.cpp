// How init makes a guest, and the calls of its monitor, with good and with bad arguments. A call
// that fails has changed nothing.
#include <array>
#include <cstddef>
#include <cstring>

#include "tests/arch/fake/arch/x86_64/instructions.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/guest.hpp"

using namespace reprise;
using arch::GuestExit;
using fakes::data;
using fakes::fails;
using fakes::GuestMachine;
using fakes::Kernel;
using fakes::somewhere;

namespace {

constexpr std::uint64_t kernel_half = 0xffff800000000000, all_ones = ~0ul;
constexpr std::uint64_t constants = REPRISE_IMAGE_BASE + page_size;
constexpr std::uint64_t guest_calls[] = {REPRISE_GUEST_MAP,       REPRISE_GUEST_WRITE,
                                         REPRISE_GUEST_READ,      REPRISE_GUEST_STATE,
                                         REPRISE_GUEST_SET_STATE, REPRISE_GUEST_RUN};

struct Fixture : GuestMachine {
  Fixture() : GuestMachine{GENERATE(0ul, 1ul)} {}

  // Neither the monitor nor its guest is changed by the call.
  bool refuses(reprise_error error, std::uint64_t number, std::uint64_t second,
               std::uint64_t third = 0, std::uint64_t fourth = 0) {
    const fakes::Picture before = kernel.picture_of(guest);
    return fails(kernel, monitor, error, number, guest.number(), second, third, fourth) &&
           kernel.picture_of(guest) == before;
  }
  bool refuses_event(std::uint64_t event, std::uint64_t done = 0) {
    reprise_guest_run answer = fakes::go_on;
    answer.done = done;
    answer.event = event;
    answer.window = 1;
    answer.skip = 5;
    kernel.put(monitor, data, answer);
    const std::uint64_t skipped = guest.context().guest()->skipped;
    return refuses(REPRISE_BAD_ARGUMENT, REPRISE_GUEST_RUN, data) &&
           guest.context().guest()->skipped == skipped;
  }
  bool takes_event(std::uint64_t event, std::uint64_t done = 0) {
    reprise_guest_run answer = fakes::go_on;
    answer.done = done;
    answer.event = event;
    return next_stop({fakes::exits(GuestExit::Halt)}, answer).reason == REPRISE_GUEST_HALT;
  }
  void stand(std::uint64_t flags, std::uint64_t shadow, std::uint64_t event) {
    reprise_guest_state state{};
    state.rflags = flags;
    state.shadow = shadow;
    state.event = event;
    set_state(state);
  }
};

reprise_error error_of_start(Kernel& kernel, const ProgramRequest& request) {
  const auto process = kernel.machine().start(request, {});
  return process ? reprise_error{} : process.error();
}

}  // namespace

// ---- START ----

TEST_CASE("START with a monitor makes a guest without memory, which waits for its monitor") {
  Kernel kernel;
  Process& monitor = kernel.start();
  fakes::offer_guests();
  const std::uint64_t hardened = GENERATE(0ul, 1ul);
  ProgramRequest request = fakes::guest_of(monitor, hardened);
  kernel.put(kernel.init(), data, request);
  const std::int64_t number = kernel.call(kernel.init(), REPRISE_START, data);
  CHECK(number == 3);
  Process& guest = *kernel.machine().processes.find(3);
  REQUIRE(guest.context().guest());
  CHECK(guest.context().guest()->monitor == monitor.number());
  CHECK(guest.context().status == ContextStatus::AtMonitor);
  CHECK(guest.context().hardened() == (hardened != 0));
  CHECK(kernel.picture_of(guest).pages.empty());
  CHECK_FALSE(monitor.context().guest());
}

TEST_CASE("START makes no guest on a machine that runs none, and nothing is lost") {
  Kernel kernel;
  Process& monitor = kernel.start();
  SECTION("no SVM") {}
  SECTION("no nested paging") {
    fakes::offer_guests();
    arch::x86::cpu.leaves[{0x8000000a, 0}] = {};
  }
  SECTION("locked by the firmware") {
    fakes::offer_guests();
    arch::x86::cpu.msrs[arch::x86::Msr::VmCr] = arch::x86::VmCr::Svmdis;
  }
  kernel.put(kernel.init(), data, fakes::guest_of(monitor));
  CHECK(fails(kernel, kernel.init(), REPRISE_NOT_GRANTED, REPRISE_START, data));
}

TEST_CASE("START makes no guest for a monitor that is no program, or has ended") {
  GuestMachine machine{1};
  Kernel& kernel = machine.kernel;
  Process& ended = kernel.start();
  kernel.call(ended, REPRISE_EXIT);
  const std::uint64_t next = ended.number() + 1;
  for (const std::uint64_t monitor : {machine.guest.number(), ended.number(), next, all_ones}) {
    kernel.put(kernel.init(), data, ProgramRequest{.monitor = monitor});
    CHECK(fails(kernel, kernel.init(), REPRISE_BAD_ARGUMENT, REPRISE_START, data));
  }
}

TEST_CASE("START makes no guest when the table is full") {
  GuestMachine machine{1};
  Kernel& kernel = machine.kernel;
  while (!kernel.machine().processes.full()) kernel.start(fakes::guest_of(machine.monitor));
  kernel.put(kernel.init(), data, fakes::guest_of(machine.monitor));
  CHECK(fails(kernel, kernel.init(), REPRISE_BAD_ARGUMENT, REPRISE_START, data));
}

TEST_CASE("START without memory for all of a guest loses no frame, however many there are") {
  Kernel kernel;
  Process& monitor = kernel.start();
  fakes::offer_guests();
  const ProgramRequest request = fakes::guest_of(monitor);
  constexpr std::uint64_t for_the_cpu = 2;  // they stay
  const std::uint64_t before = kernel.free_frames();
  std::uint64_t frames = 0;
  for (; frames < 100; ++frames) {
    const std::uint64_t now = kernel.free_frames();
    kernel.machine().frames.set_reserve(now - frames);
    const reprise_error error = error_of_start(kernel, request);
    if (error == 0) break;
    CHECK(error == REPRISE_NO_MEMORY);
    const std::uint64_t lost = before - kernel.free_frames();
    CHECK(lost == (frames < for_the_cpu ? 0 : for_the_cpu));
  }
  CHECK(kernel.free_frames() == before - for_the_cpu - frames);  // all were needed
  CHECK(kernel.machine().processes.size() == 3);
  CHECK(frames > 3);
}

TEST_CASE_METHOD(Fixture, "a guest that init lets go gives all frames back") {
  Process& init = kernel.init();
  const auto release = [&](Process& process) {
    const std::uint64_t number = process.number();
    CHECK(kernel.call(init, REPRISE_END, number) == 0);
    CHECK(kernel.call(init, REPRISE_NEWS, data) == static_cast<std::int64_t>(number));
    CHECK(kernel.call(init, REPRISE_RELEASE, number) == 0);
  };
  kernel.put(init, data, Injection{});
  release(guest);
  const std::uint64_t before = kernel.free_frames();
  Process& next = kernel.start(fakes::guest_of(monitor, 1));
  CHECK(kernel.call(monitor, REPRISE_GUEST_MAP, next.number(), 0, 5 * page_size) == 0);
  CHECK(kernel.call(monitor, REPRISE_GUEST_WRITE, next.number(), page_size - 1, data, 2) == 0);
  CHECK(kernel.free_frames() < before);
  release(next);
  CHECK(kernel.free_frames() == before);
}

// ---- Whose calls they are ----

TEST_CASE_METHOD(Fixture, "a guest is known to its monitor alone, and only while it lives") {
  map(0, 1);
  Process& other = kernel.start();
  Process& others = kernel.start(fakes::guest_of(other));
  for (const std::uint64_t number : guest_calls) {
    for (Process* const caller : {&other, &kernel.init()})
      CHECK(fails(kernel, *caller, REPRISE_GONE, number, guest.number(), 0, page_size, 8));
    for (const std::uint64_t nobody : {0ul, 1ul, monitor.number(), others.number(), 99ul, all_ones})
      CHECK(fails(kernel, monitor, REPRISE_GONE, number, nobody, 0, page_size, 8));
  }
  CHECK(kernel.call(kernel.init(), REPRISE_END, guest.number()) == 0);
  for (const std::uint64_t number : guest_calls)
    CHECK(fails(kernel, monitor, REPRISE_GONE, number, guest.number(), 0, page_size, 8));
}

// ---- Memory ----

TEST_CASE_METHOD(Fixture, "GUEST_MAP takes whole pages of the user half, from address 0 on") {
  const std::uint64_t last_page = user_high - page_size;
  CHECK(call(REPRISE_GUEST_MAP, 0, 2 * page_size) == 0);
  CHECK(call(REPRISE_GUEST_MAP, last_page, page_size) == 0);
  CHECK(kernel.picture_of(guest).pages.size() == 3);
  const auto [address, bytes] = GENERATE(Catch::Generators::table<std::uint64_t, std::uint64_t>({
      {0x10001, page_size},              // not aligned
      {0x10000, page_size + 1},          //
      {0x10000, 0},                      // nothing
      {user_high, page_size},            // behind the user half
      {user_high - page_size, 0x2000},   // out of it
      {kernel_half, page_size},          //
      {round_down(all_ones), 0x1000},    // up to the last address
      {round_down(all_ones), 0x2000},    // wraps around
      {0x10000, round_down(all_ones)},   //
      {0x10000, (16ul << 30) + 0x1000},  // more than one call may do
  }));
  CHECK(refuses(REPRISE_BAD_ADDRESS, REPRISE_GUEST_MAP, address, bytes));
}

TEST_CASE_METHOD(Fixture, "GUEST_MAP takes no page that is mapped, and none without memory") {
  map(page_size, 1);
  CHECK(refuses(REPRISE_OCCUPIED, REPRISE_GUEST_MAP, 0, 3 * page_size));
  CHECK(refuses(REPRISE_OCCUPIED, REPRISE_GUEST_MAP, page_size, page_size));
  kernel.leave_frames(0);
  const fakes::Picture before = kernel.picture_of(guest);
  CHECK(call(REPRISE_GUEST_MAP, 1ul << 30, page_size) == -REPRISE_NO_MEMORY);
  CHECK(kernel.picture_of(guest).pages == before.pages);
  CHECK(call(REPRISE_GUEST_MAP, 0, page_size) == 0);  // its tables are there
}

TEST_CASE_METHOD(Fixture, "GUEST_WRITE and GUEST_READ copy across pages on both sides") {
  kernel.map(monitor, somewhere + page_size, 3);
  map(0, 4);
  std::array<std::byte, 2 * page_size + 6> text{}, found{};
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>(i * 3 + i / 256);
  kernel.put_bytes(monitor, somewhere + 100, text);
  CHECK(call(REPRISE_GUEST_WRITE, page_size - 3, somewhere + 100, text.size()) == 0);
  kernel.get_bytes(guest, page_size - 3, found);
  CHECK(found == text);
  CHECK(kernel.get<std::uint32_t>(guest, page_size - 7) == 0);
  CHECK(kernel.get<std::uint32_t>(guest, 3 * page_size + 3) == 0);
  kernel.put_bytes(monitor, somewhere, std::array<std::byte, 4 * page_size>{});
  CHECK(call(REPRISE_GUEST_READ, page_size - 3, somewhere + 55, text.size()) == 0);
  kernel.get_bytes(monitor, somewhere + 55, found);
  CHECK(found == text);
  CHECK(kernel.get<std::uint8_t>(monitor, somewhere + 54) == 0);
  CHECK(kernel.get<std::uint8_t>(monitor, somewhere + 55 + text.size()) == 0);
}

TEST_CASE_METHOD(Fixture,
                 "GUEST_WRITE and GUEST_READ take nothing that is not there, or too much") {
  kernel.map(monitor, somewhere + page_size, 17);
  map(0, 1);
  map(2 * page_size, 18);
  constexpr std::uint64_t most = REPRISE_MESSAGE_BYTES, memory_end = 20 * page_size;
  for (const std::uint64_t number : {REPRISE_GUEST_WRITE, REPRISE_GUEST_READ}) {
    CHECK(call(number, 2 * page_size, somewhere, most) == 0);
    CHECK(call(number, memory_end, somewhere, 0) == 0);
    CHECK(refuses(REPRISE_TOO_LONG, number, 2 * page_size, somewhere, most + 1));
    CHECK(refuses(REPRISE_TOO_LONG, number, 2 * page_size, somewhere, all_ones));
    for (const std::uint64_t hole : {page_size - 1, page_size, 2 * page_size - 1, memory_end - 1,
                                     memory_end, user_high - 1, kernel_half, all_ones})
      CHECK(refuses(REPRISE_BAD_ADDRESS, number, hole, somewhere, 2));
    for (const std::uint64_t bad :
         {0ul, somewhere - 1, somewhere + 18 * page_size - 1, user_high - 1, kernel_half, all_ones})
      CHECK(refuses(REPRISE_BAD_ADDRESS, number, 0, bad, 2));
  }
  CHECK(call(REPRISE_GUEST_WRITE, 0, constants, 8) == 0);
  CHECK(refuses(REPRISE_BAD_ADDRESS, REPRISE_GUEST_READ, 0, constants, 8));
}

TEST_CASE_METHOD(Fixture, "GUEST_WRITE without a frame for the page says so") {
  map(0, 1);
  kernel.leave_frames(0);
  CHECK(refuses(REPRISE_NO_MEMORY, REPRISE_GUEST_WRITE, 0, data, 8));
}

// ---- Registers ----

TEST_CASE_METHOD(Fixture, "GUEST_STATE gives back each word that GUEST_SET_STATE took") {
  std::array<std::uint64_t, sizeof(reprise_guest_state) / 8> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = 0x1111'1111'1111'1111 * (i + 1) + i;
  kernel.put(monitor, data, words);
  CHECK(call(REPRISE_GUEST_SET_STATE, data) == 0);
  CHECK(call(REPRISE_GUEST_STATE, data + page_size) == 0);
  CHECK(kernel.get<decltype(words)>(monitor, data + page_size) == words);
  const arch::UserState& state = guest.context().registers();
  const auto given = kernel.get<reprise_guest_state>(monitor, data);
  CHECK(state[arch::Register::R15] == given.r15);
  CHECK(state[arch::Register::Rip] == given.rip);
  CHECK(state[arch::GuestWord::Cr3] == given.cr3);
  CHECK(state[arch::GuestWord::Window] == given.window);
}

TEST_CASE_METHOD(Fixture, "what the monitor sets is what the guest runs with, and comes back") {
  reprise_guest_state given{};
  given.r9 = 9;
  given.rip = 0x7000;
  given.rflags = 0x246;
  given.cs = {.selector = 8, .attributes = 0xa9b, .limit = 0xffffffff, .base = 0};
  given.cr3 = 0x5000;
  given.efer = 0x500;
  given.dr2 = 0xd2;
  given.lstar = 0xffffffff81000000;
  given.cpl = 3;
  given.pat = 6;
  given.xcr0 = 1;
  set_state(given);
  static_cast<void>(next_stop({fakes::exits(GuestExit::Halt)}));
  const reprise_guest_state found = state();
  given.next_rip = 0x7001;
  CHECK(std::memcmp(&found, &given, sizeof given) == 0);
}

TEST_CASE_METHOD(Fixture, "GUEST_STATE, GUEST_SET_STATE and GUEST_RUN need the monitor's memory") {
  for (const std::uint64_t number :
       {REPRISE_GUEST_STATE, REPRISE_GUEST_SET_STATE, REPRISE_GUEST_RUN}) {
    for (const std::uint64_t bad :
         {0ul, somewhere - 8, somewhere + page_size - 8, kernel_half, user_high - 8, all_ones - 3})
      CHECK(refuses(REPRISE_BAD_ADDRESS, number, bad));
  }
  CHECK(refuses(REPRISE_BAD_ADDRESS, REPRISE_GUEST_STATE, constants));
  CHECK(refuses(REPRISE_BAD_ADDRESS, REPRISE_GUEST_RUN, constants));
  CHECK(call(REPRISE_GUEST_SET_STATE, constants) == 0);
}

// ---- GUEST_RUN ----

TEST_CASE_METHOD(Fixture, "GUEST_RUN has place for its answer before the guest goes") {
  kernel.leave_frames(0);
  CHECK(refuses(REPRISE_NO_MEMORY, REPRISE_GUEST_RUN, somewhere));  // still the frame of zeros
}

TEST_CASE_METHOD(Fixture, "GUEST_RUN takes an interrupt only when the guest is ready for it") {
  constexpr std::uint64_t interrupt = REPRISE_EVENT_INTERRUPT | 0x20;
  constexpr std::uint64_t on = 0x202, off = 2, pending = REPRISE_EVENT_EXCEPTION | 6;
  stand(off, 0, 0);
  CHECK(refuses_event(interrupt));
  stand(on, 1, 0);
  CHECK(refuses_event(interrupt));
  CHECK(takes_event(interrupt, 1));  // the instruction behind STI is carried out
  stand(off, 1, 0);
  CHECK(refuses_event(interrupt, 1));
  stand(on, 0, pending);
  CHECK(refuses_event(interrupt));
  stand(on, 0, 0);
  CHECK(takes_event(interrupt));
}

TEST_CASE_METHOD(Fixture, "GUEST_RUN takes an NMI whatever IF says, and not behind STI") {
  stand(2, 1, 0);
  CHECK(refuses_event(REPRISE_EVENT_NMI));
  stand(2, 0, REPRISE_EVENT_EXCEPTION | 6);
  CHECK(refuses_event(REPRISE_EVENT_NMI));
  stand(2, 0, 0);
  CHECK(takes_event(REPRISE_EVENT_NMI));
}

TEST_CASE_METHOD(Fixture, "GUEST_RUN takes an exception unless another event is on its way") {
  constexpr std::uint64_t fault =
      REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 14 | 5ul << 32;
  stand(2, 1, REPRISE_EVENT_INTERRUPT | 0x20);
  CHECK(refuses_event(fault));
  stand(2, 1, 0);
  CHECK(takes_event(fault));
}

TEST_CASE_METHOD(Fixture, "GUEST_RUN takes no event of another type, and none that is not valid") {
  stand(0x202, 0, 0);
  for (const std::uint64_t type : {1ul, 4ul, 5ul, 6ul, 7ul})
    CHECK(refuses_event(1ul << 31 | type << 8 | 0x20));
  for (const std::uint64_t type : {0ul, 2ul, 3ul}) CHECK(refuses_event(type << 8 | 0x20));
}

TEST_CASE_METHOD(Fixture, "GUEST_RUN gives the monitor's turn to the guest") {
  CHECK(let_go() == 0);
  CHECK(guest.context().status == ContextStatus::Ready);
  CHECK(monitor.context().status == ContextStatus::InGuest);
}
