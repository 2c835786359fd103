// One access to a device, carried out once: what is open meanwhile, and what remains to be served.
#include "kernel/device/access.hpp"

#include <array>
#include <functional>

#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/context/element.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using arch::Register;
using arch::Trap;
using arch::UserState;
using fakes::data;
using fakes::Kernel;
using fakes::somewhere;

namespace {

using Fault = arch::x86::PageFaultCode;
using Reason = AccessRefusal::Reason;

constexpr std::uint64_t device = somewhere;                 // two pages
constexpr std::uint64_t fresh = somewhere + 4 * page_size;  // two pages without frames of their own
constexpr std::uint64_t first_port = 0x60, last_port = 0x62;

constexpr std::array<std::uint8_t, 1> in_byte{0xec}, in_dword{0xed}, halt{0xf4}, movs{0xa4};
constexpr std::array<std::uint8_t, 2> rep_insb{0xf3, 0x6c};

constexpr dwc::PeEnd protection{.kind = dwc::PeEnd::Kind::Exception,
                                .vector = arch::x86::general_protection_vector};

dwc::PeEnd fault_at(std::uint64_t address, std::uint32_t error_code) {
  return end_of(fakes::page_fault(address, error_code));
}

Trap step_over(UserState& state, std::uint64_t bytes) {
  state[Register::Rip] += bytes;
  return {.kind = Trap::Kind::Step};
}

// One iteration of REP INSB, upwards or downwards.
Trap insert_byte(UserState& state, std::int64_t direction) {
  const std::uint64_t to = state[Register::Rdi];
  if (const auto fault = fakes::store(to, 0x5a)) return *fault;
  state[Register::Rdi] = to + static_cast<std::uint64_t>(direction);
  --state[Register::Rcx];
  return step_over(state, state[Register::Rcx] == 0 ? rep_insb.size() : 0);
}

struct Fixture {
  Kernel kernel;
  Process& driver = start_driver();

  Fixture() {
    constexpr std::uint64_t start = fakes::device_start;
    REQUIRE(kernel.call(driver, REPRISE_MAP_DEVICE, device, 2 * page_size, start) == 0);
    kernel.map(driver, fresh, 2);
    driver.space().table().activate();
    kernel.set_register(driver, Register::Rdx, first_port);
  }

  Process& start_driver() {
    ProgramRequest request{.module = fakes::program_module, .grant_count = 2};
    request.grants[0] = {.kind = REPRISE_GRANT_PORT, .first = first_port, .last = last_port};
    request.grants[1] = {.kind = REPRISE_GRANT_MEMORY,
                         .first = fakes::device_start,
                         .last = fakes::device_start + 2 * page_size - 1};
    return kernel.start(request);
  }

  // What remains of the access, when ring 3 does that.
  auto access(const dwc::PeEnd& end, std::span<const std::uint8_t> code,
              const std::function<Trap(UserState&)>& ring_3) {
    fakes::hardware.entries = 0;
    fakes::hardware.ring_3 = ring_3;
    return access_device(driver, end, code);
  }
  auto insert(std::uint64_t to, std::uint64_t count, std::int64_t direction = 1) {
    kernel.set_register(driver, Register::Rdi, to);
    kernel.set_register(driver, Register::Rcx, count);
    return access(protection, rep_insb,
                  [=](UserState& state) { return insert_byte(state, direction); });
  }

  // A PE that writes one word, which makes the engine know its page.
  void run_element(std::uint64_t written) {
    fakes::hardware.ring_3 = [=](UserState&) {
      const auto fault = fakes::store(written, 1);
      return fault ? *fault : fakes::system_call();
    };
    REQUIRE(ElementRunner{driver.context()}.run(Nanoseconds{200'000}));
  }

  [[nodiscard]] const AccessRefusal& refused() const { return driver.context().figures.refused; }
  [[nodiscard]] bool is_refused(Reason reason, std::uint64_t first, std::uint64_t last) const {
    return refused().reason == reason && refused().first == first && refused().last == last;
  }
  // Nothing that an access opens is open.
  [[nodiscard]] static bool all_closed() {
    const bool absent = fakes::store(device, 0).has_value();
    return absent && !fakes::hardware.ports_open && !fakes::hardware.single_step;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a port access without a grant for each port is refused, and named") {
  const auto never = [](UserState& state) { return step_over(state, 1); };
  CHECK(access(protection, in_dword, never) == protection);  // one port too many
  CHECK(fakes::hardware.entries == 0);
  CHECK(is_refused(Reason::NotGranted, first_port, last_port + 1));
  kernel.set_register(driver, Register::Rdx, first_port - 1);
  CHECK(access(protection, in_byte, never) == protection);
  CHECK(fakes::hardware.entries == 0);
  CHECK(is_refused(Reason::NotGranted, first_port - 1, first_port - 1));
}

TEST_CASE_METHOD(Fixture, "a granted port access is one step with the ports open, closed again") {
  CHECK_FALSE(access(protection, in_byte, [](UserState& state) {
    CHECK(fakes::hardware.ports_open);
    CHECK(fakes::hardware.single_step);
    state[Register::Rax] = 0x42;
    return step_over(state, in_byte.size());
  }));
  CHECK(fakes::hardware.entries == 1);
  CHECK(Kernel::word(driver, Register::Rax) == 0x42);
  CHECK(all_closed());
  CHECK(refused().reason == Reason::None);
}

TEST_CASE_METHOD(Fixture, "an interrupt that comes first leaves the access to be done") {
  bool interrupted = false;
  CHECK_FALSE(access(protection, in_byte, [&](UserState& state) {
    if (interrupted) return step_over(state, in_byte.size());
    interrupted = true;
    return Trap{.kind = Trap::Kind::Device};
  }));
  CHECK(fakes::hardware.entries == 2);
}

TEST_CASE_METHOD(Fixture, "a repeated access goes on until its iterations are done") {
  CHECK_FALSE(insert(data, 5));
  CHECK(fakes::hardware.entries == 5);
  CHECK(Kernel::word(driver, Register::Rcx) == 0);
  CHECK(Kernel::word(driver, Register::Rip) == fakes::entry + rep_insb.size());
}

TEST_CASE_METHOD(Fixture, "a repeated access stops before its store leaves the page, up or down") {
  CHECK_FALSE(insert(data + page_size - 16, 100));
  CHECK(Kernel::word(driver, Register::Rdi) == data + page_size - 7);
  CHECK_FALSE(insert(data + page_size + 3, 100, -1));
  CHECK(Kernel::word(driver, Register::Rdi) == data + page_size - 1);
  CHECK(Kernel::word(driver, Register::Rip) == fakes::entry);  // the rest is still to be done
  CHECK(all_closed());
}

TEST_CASE_METHOD(Fixture, "a long repeated access pauses, so that interrupts wait no longer") {
  CHECK_FALSE(insert(data, 1000));
  CHECK(Kernel::word(driver, Register::Rcx) == 1000 - 256);
  CHECK(Kernel::word(driver, Register::Rip) == fakes::entry);
  CHECK(all_closed());
}

TEST_CASE_METHOD(Fixture, "granted device memory is open for one access and closed again") {
  CHECK_FALSE(access(fault_at(device + 8, Fault::Us | Fault::Wr), halt, [](UserState& state) {
    CHECK(fakes::hardware.single_step);
    CHECK_FALSE(fakes::hardware.ports_open);
    CHECK(fakes::store(device + page_size, 0));  // the page behind it is not open
    const auto fault = fakes::store(device + 8, 7);
    return fault ? *fault : step_over(state, 3);
  }));
  CHECK(fakes::hardware.entries == 1);
  CHECK(fakes::hardware.device[8] == std::byte{7});
  CHECK(all_closed());
  CHECK(refused().reason == Reason::None);
}

TEST_CASE_METHOD(Fixture, "a fetch from device memory and a fault elsewhere are no accesses") {
  const auto never = [](UserState& state) { return step_over(state, 1); };
  for (const dwc::PeEnd& end :
       {fault_at(device, Fault::Us | Fault::Id), fault_at(fresh + 2 * page_size, Fault::Us),
        fault_at(device, Fault::Us | Fault::P), fault_at(user_high, Fault::Us)}) {
    CHECK(access(end, halt, never) == end);
    CHECK(fakes::hardware.entries == 0);
    CHECK(refused().reason == Reason::None);
  }
}

TEST_CASE_METHOD(Fixture, "a fault during the access is the exception that remains") {
  const Trap fault = fakes::page_fault(fresh + 2 * page_size, Fault::Us | Fault::Wr);
  const auto faulting = [&](UserState&) { return fault; };
  CHECK(access(protection, in_byte, faulting) == end_of(fault));
  CHECK(refused().reason == Reason::None);
  CHECK(all_closed());
  CHECK(access(fault_at(device, Fault::Us), halt, faulting) == end_of(fault));
  CHECK(refused().reason == Reason::None);
  CHECK(all_closed());
}

TEST_CASE_METHOD(Fixture, "a fault behind iterations that are done is left to the next PE") {
  CHECK_FALSE(access(protection, rep_insb, [](UserState& state) {
    if (fakes::hardware.entries == 1) return step_over(state, 0);
    return fakes::page_fault(fresh + 2 * page_size, Fault::Us | Fault::Wr);
  }));
  CHECK(fakes::hardware.entries == 2);
  CHECK(all_closed());
}

TEST_CASE_METHOD(Fixture, "an instruction that reaches no port leaves the exception as it is") {
  const auto never = [](UserState& state) { return step_over(state, 1); };
  const dwc::PeEnd invalid_opcode{.kind = dwc::PeEnd::Kind::Exception, .vector = 6};
  driver.context().figures.refused.reason = Reason::NotGranted;  // an earlier one's
  CHECK(access(protection, halt, never) == protection);
  CHECK(refused().reason == Reason::None);
  CHECK(access(protection, {}, never) == protection);
  CHECK(access(invalid_opcode, in_byte, never) == invalid_opcode);
  CHECK(fakes::hardware.entries == 0);
}

TEST_CASE_METHOD(Fixture, "an access that cannot be carried out is reported with its addresses") {
  const dwc::PeEnd end = fault_at(device + 8, Fault::Us);
  const auto from_device_to_device = [](UserState&) {
    return fakes::page_fault(device + page_size, Fault::Us | Fault::Wr);
  };
  CHECK(access(end, movs, from_device_to_device) == end);
  CHECK(is_refused(Reason::Unsupported, device + 8, device + 8));
  CHECK(all_closed());

  kernel.leave_frames(0);  // the store gets no frame
  CHECK(insert(fresh + page_size, 4) == protection);
  CHECK(is_refused(Reason::Unsupported, first_port, first_port));
  CHECK(all_closed());
}

TEST_CASE_METHOD(Fixture, "the pages of a store are writable before the access, and no longer") {
  kernel.set_register(driver, Register::Rdi, fresh + page_size - 1);
  CHECK_FALSE(access(fault_at(device, Fault::Us), movs, [](UserState& state) {
    CHECK_FALSE(fakes::store(fresh, 1));
    CHECK_FALSE(fakes::store(fresh + page_size, 2));
    return step_over(state, movs.size());
  }));
  CHECK(kernel.get<std::uint64_t>(driver, fresh + page_size) == 2);
  CHECK(fakes::store(fresh, 1));
  CHECK(fakes::store(fresh + page_size, 1));
}

TEST_CASE_METHOD(Fixture, "the engine forgets the store's page and all that the access wrote") {
  constexpr std::uint64_t other = data + page_size;
  kernel.put(driver, data, 1ul);
  kernel.put(driver, other, 1ul);
  const std::uint64_t free = kernel.free_frames();
  run_element(data);
  run_element(other);
  REQUIRE(kernel.free_frames() < free);  // what the engine keeps of the two pages
  SECTION("the store's") {
    run_element(other);
    const std::uint64_t with_both = kernel.free_frames();
    CHECK_FALSE(insert(data, 1));
    CHECK(kernel.free_frames() == with_both + (free - with_both) / 2);
  }
  SECTION("every one") {
    kernel.set_register(driver, Register::Rdi, data);
    CHECK_FALSE(access(protection, rep_insb, [](UserState& state) {
      CHECK_FALSE(fakes::store(other, 2));
      return step_over(state, rep_insb.size());
    }));
    CHECK(kernel.free_frames() == free);
    CHECK(fakes::store(other, 3));
  }
}
