// What follows a committed exception: an emulated instruction, the program's handler, or its end.
#include "kernel/calls/exceptions.hpp"

#include <array>

#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using arch::Register;
using fakes::data;
using fakes::Kernel;
using fakes::somewhere;

namespace {

constexpr dwc::PeEnd protection{.kind = dwc::PeEnd::Kind::Exception,
                                .vector = arch::x86::general_protection_vector};
constexpr dwc::PeEnd invalid_opcode{.kind = dwc::PeEnd::Kind::Exception, .vector = 6};
constexpr std::uint64_t handler = REPRISE_IMAGE_BASE + 0x200;

struct Fixture {
  Kernel kernel;
  Process& program = kernel.start();

  Fixture() { kernel.map(program, somewhere, 1); }

  template <class... Bytes>
  void stand_at(Bytes... bytes) {
    const std::array code{static_cast<std::uint8_t>(bytes)...};
    kernel.put(program, somewhere, code);
    kernel.set_register(program, Register::Rip, somewhere);
  }
  std::int64_t set_handler(std::uint64_t frame) {
    return kernel.call(program, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, handler, frame);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "RDTSC is done once, by the machine's clock, and the program goes on") {
  fakes::hardware.stamp = 0x1'0000'0002;
  stand_at(0x0f, 0x31);
  CHECK(serve_exception(program, protection));
  CHECK(Kernel::word(program, Register::Rax) == 2);
  CHECK(Kernel::word(program, Register::Rdx) == 1);
  CHECK(Kernel::word(program, Register::Rip) == somewhere + 2);
}

TEST_CASE_METHOD(Fixture, "CPUID is done, without the features that runs would differ by") {
  stand_at(0x0f, 0xa2);
  kernel.set_register(program, Register::Rax, 1);
  CHECK(serve_exception(program, protection));
  CHECK((Kernel::word(program, Register::Rcx) & 1u << 30) == 0);  // RDRAND
  CHECK(Kernel::word(program, Register::Rip) == somewhere + 2);
}

TEST_CASE_METHOD(Fixture, "an instruction is emulated for a #GP alone") {
  stand_at(0x0f, 0x31);
  CHECK_FALSE(serve_exception(program, invalid_opcode));
  CHECK(Kernel::word(program, Register::Rip) == somewhere);
}

TEST_CASE_METHOD(Fixture, "an instruction cut off by the end of what can be read is not emulated") {
  kernel.put(program, somewhere + page_size - 1, std::uint8_t{0x0f});
  kernel.set_register(program, Register::Rip, somewhere + page_size - 1);
  CHECK_FALSE(serve_exception(program, protection));
  for (const std::uint64_t rip : {0ul, user_high - 1, 0xffff800000000000ul, ~0ul}) {
    kernel.set_register(program, Register::Rip, rip);
    CHECK_FALSE(serve_exception(program, protection));
  }
}

TEST_CASE_METHOD(Fixture,
                 "an exception goes to the handler once, with all registers in the frame") {
  CHECK(set_handler(data) == 0);
  stand_at(0x0f, 0x0b);
  kernel.set_register(program, Register::R12, 77);
  kernel.set_register(program, Register::Rflags, 0x202 | 0x400);
  dwc::PeEnd end = invalid_opcode;
  end.error_code = 3;
  end.fault_address = 4;
  CHECK(serve_exception(program, end));
  const auto frame = kernel.get<reprise_frame>(program, data);
  CHECK(frame.rip == somewhere);
  CHECK(frame.r12 == 77);
  CHECK(frame.vector == 6);
  CHECK(frame.error_code == 3);
  CHECK(frame.fault_address == 4);
  CHECK(frame.rflags == (0x202 | 0x400));
  CHECK(Kernel::word(program, Register::Rip) == handler);
  CHECK(Kernel::word(program, Register::Rdi) == data);
  CHECK(Kernel::word(program, Register::Rflags) == 0x202);
  CHECK_FALSE(serve_exception(program, end));  // disarmed
  CHECK(set_handler(data) == 0);
  CHECK(serve_exception(program, end));
}

TEST_CASE_METHOD(Fixture, "an exception whose frame cannot be written any more ends the program") {
  CHECK(set_handler(somewhere + 8) == 0);
  CHECK(kernel.call(program, REPRISE_PROTECT, somewhere, page_size, REPRISE_PROTECT_READ) == 0);
  const auto before = Kernel::word(program, Register::Rip);
  CHECK_FALSE(serve_exception(program, invalid_opcode));
  CHECK(Kernel::word(program, Register::Rip) == before);
}

TEST_CASE_METHOD(Fixture,
                 "without a handler an exception ends the program, and the figures say which") {
  stand_at(0x0f, 0x0b);
  CHECK_FALSE(serve_exception(program, invalid_opcode));
  CHECK(program.context().figures.last_end == invalid_opcode);
}

TEST_CASE_METHOD(Fixture,
                 "an interrupt comes once, when it is due, the handler armed and RIP outside") {
  CHECK(kernel.call(program, REPRISE_INTERRUPT, 500) == 0);
  kernel.set_register(program, Register::Rip, somewhere);
  interrupt_when_due(program.context(), Nanoseconds{500});  // no handler: it waits
  CHECK(Kernel::word(program, Register::Rip) == somewhere);
  CHECK(set_handler(data) == 0);
  kernel.set_register(program, Register::Rip, somewhere + 3);
  kernel.set_register(program, Register::R12, 77);
  interrupt_when_due(program.context(), Nanoseconds{499});
  CHECK(Kernel::word(program, Register::Rip) == somewhere + 3);
  kernel.set_register(program, Register::Rip, fakes::entry);  // within the personality
  interrupt_when_due(program.context(), Nanoseconds{500});
  CHECK(Kernel::word(program, Register::Rip) == fakes::entry);
  kernel.set_register(program, Register::Rip, somewhere + 3);
  interrupt_when_due(program.context(), Nanoseconds{500});
  CHECK(Kernel::word(program, Register::Rip) == handler);
  const auto frame = kernel.get<reprise_frame>(program, data);
  CHECK(frame.rip == somewhere + 3);
  CHECK(frame.r12 == 77);
  CHECK(frame.vector == REPRISE_INTERRUPT_VECTOR);
  CHECK(set_handler(data) == 0);
  kernel.set_register(program, Register::Rip, somewhere);
  interrupt_when_due(program.context(), Nanoseconds{501});
  CHECK(Kernel::word(program, Register::Rip) == somewhere);
}
