// What enters a context between two PEs, and that the engine knows of no page that has changed.
#include "kernel/context/gate.hpp"

#include <array>
#include <stdexcept>
#include <vector>

#include "kernel/context/element.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using arch::Register;
using arch::UserState;
using fakes::data;
using fakes::Kernel;
using fakes::somewhere;

namespace {

constexpr std::uint64_t handler = REPRISE_IMAGE_BASE + 0x200;
constexpr arch::Permissions read_only{}, read_write{.write = true};
constexpr dwc::PeEnd invalid_opcode{.kind = dwc::PeEnd::Kind::Exception, .vector = 6};

PageRange pages(std::uint64_t start, std::uint64_t count) {
  return *PageRange::of(UserAddr{start}, count * page_size);
}

std::span<const std::byte> bytes_of(const std::uint64_t& word) {
  return std::as_bytes(std::span{&word, 1});
}

// A program whose last PE wrote one page, `data`: the engine has it in its books and predicts that
// the next PE writes it, too.
struct Fixture {
  Kernel kernel;
  std::uint64_t frames_without_it = frames_without_a_program();
  Process& program = kernel.start();
  Context& context = program.context();
  Gate gate{context};
  std::uint64_t free_frames = 0;  // when the engine knows no page

  Fixture() {
    kernel.map(program, somewhere, 2);
    kernel.put(program, data, 0ul);
    free_frames = kernel.free_frames();
    fakes::hardware.ring_3 = [](UserState&) {
      const auto fault = fakes::store(data, 1);
      return fault ? *fault : fakes::system_call();
    };
    REQUIRE(run_element());
    REQUIRE(knows_the_page());
  }

  // A place for a program has its frames from the first one on, and keeps them.
  [[nodiscard]] std::uint64_t frames_without_a_program() {
    Process& earlier = kernel.start();
    kernel.call(earlier, REPRISE_EXIT, 0);
    kernel.machine().processes.remove(earlier);
    return kernel.free_frames();
  }

  [[nodiscard]] bool run_element() { return ElementRunner{context}.run(Nanoseconds{1}) != nullptr; }

  // The engine keeps two frames more for a page that it knows, and lets ring 3 write it.
  [[nodiscard]] bool knows_the_page() const {
    return is_enabled() && kernel.free_frames() == free_frames - 2;
  }
  [[nodiscard]] bool has_forgotten_the_page() const {
    return !is_enabled() && kernel.free_frames() == free_frames;
  }
  [[nodiscard]] bool is_enabled() const {
    const auto mapping = context.space().table().find(page_of(UserAddr{data}));
    return mapping && mapping->write_access == arch::WriteAccess::Enabled;
  }

  [[nodiscard]] std::vector<std::uint64_t> registers() const {
    const auto words = context.registers().words();
    return {words.begin(), words.end()};
  }

  void set_handler(std::uint64_t frame) {
    context.exception_handler = {.entry = UserAddr{handler}, .frame = UserAddr{frame}};
  }
  [[nodiscard]] bool is_armed() const { return context.exception_handler.entry.value() == handler; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "bytes that are written have left the engine's books before") {
  CHECK(gate.write_bytes(UserAddr{data + 8}, bytes_of(5)));
  CHECK(has_forgotten_the_page());
  CHECK(kernel.get<std::uint64_t>(program, data + 8) == 5);
  CHECK(kernel.get<std::uint64_t>(program, data) == 1);
}

TEST_CASE_METHOD(Fixture, "a restart goes back to the bytes that were written") {
  CHECK(gate.write_bytes(UserAddr{data}, bytes_of(5)));
  unsigned runs = 0;
  fakes::hardware.ring_3 = [&runs](UserState&) {
    if (fakes::hardware.entries > 100) throw std::logic_error("the page's fault never ends");
    const std::uint64_t next = fakes::load(data) + (runs == 1 ? 100 : 1);  // a flip in the 2nd run
    if (const auto fault = fakes::store(data, next)) return *fault;
    ++runs;
    return fakes::system_call();
  };
  CHECK(run_element());
  CHECK(runs == 4);
  CHECK(kernel.get<std::uint64_t>(program, data) == 6);
}

TEST_CASE_METHOD(Fixture, "pages that are prepared, protected or unmapped have left the books") {
  SECTION("prepared") {
    CHECK(gate.prepare(UserAddr{data}, 8));
    CHECK(has_forgotten_the_page());
  }
  SECTION("prepared as the second of two") {
    const UserAddr before{data - 4};
    REQUIRE(gate.protect(pages(data - page_size, 1), read_write));
    const std::uint64_t owned = 1;  // the page before, from a shared frame
    CHECK(gate.prepare(before, 8));
    CHECK_FALSE(is_enabled());
    CHECK(kernel.free_frames() == free_frames - owned);
  }
  SECTION("protected") {
    CHECK(gate.protect(pages(data, 1), read_only));
    CHECK(has_forgotten_the_page());
    CHECK_FALSE(context.space().writable(UserAddr{data}, 1));
  }
  SECTION("unmapped among others and a hole") {
    gate.unmap(pages(data - page_size, 8));
    CHECK_FALSE(context.space().readable(UserAddr{data}, 1));
    CHECK(kernel.free_frames() == free_frames + 1);
  }
}

TEST_CASE_METHOD(Fixture, "after its preparation a write needs no frame") {
  const UserAddr both{somewhere + page_size - 4};
  CHECK(gate.prepare(both, 8));
  kernel.leave_frames(0);
  CHECK(gate.write_bytes(both, bytes_of(7)));
  CHECK(kernel.get<std::uint64_t>(program, both.value()) == 7);
}

TEST_CASE_METHOD(Fixture, "a write to a page that is not writable changes nothing") {
  REQUIRE(gate.protect(pages(data + page_size, 1), read_only));
  const fakes::Picture before = kernel.picture_of(program);
  for (const std::uint64_t bad : {data + page_size - 4, data + page_size, somewhere + 2 * page_size,
                                  user_high - 4, 0ul, ~0ul}) {
    CHECK(gate.write_bytes(UserAddr{bad}, bytes_of(5)).error() == REPRISE_BAD_ADDRESS);
    CHECK(gate.prepare(UserAddr{bad}, 8).error() == REPRISE_BAD_ADDRESS);
  }
  CHECK(kernel.picture_of(program) == before);
  CHECK(knows_the_page());
}

TEST_CASE_METHOD(Fixture, "no bytes enter anywhere, and the engine forgets nothing") {
  CHECK(gate.write_bytes(UserAddr{~0ul}, {}));
  CHECK(gate.write_bytes(UserAddr{data + 8}, {}));
  CHECK(gate.prepare(UserAddr{data + 8}, 0));
  CHECK(knows_the_page());
}

TEST_CASE_METHOD(Fixture, "writes outside of a PE leave the books, other pages stay") {
  gate.own_writes();
  CHECK(knows_the_page());
  REQUIRE_FALSE(fakes::store(data, 9));
  gate.own_writes();
  CHECK(has_forgotten_the_page());
  CHECK(kernel.get<std::uint64_t>(program, data) == 9);
}

TEST_CASE_METHOD(Fixture, "an exception's frame enters the memory behind the engine's books") {
  set_handler(data);
  kernel.set_register(program, Register::R12, 77);
  CHECK(gate.exception(invalid_opcode));
  CHECK(has_forgotten_the_page());
  CHECK(kernel.get<reprise_frame>(program, data).r12 == 77);
  CHECK(Kernel::word(program, Register::Rip) == handler);
  CHECK_FALSE(is_armed());
}

TEST_CASE_METHOD(Fixture, "an exception whose frame cannot be written changes nothing at all") {
  SECTION("not writable any more") {
    set_handler(somewhere);
    REQUIRE(gate.protect(pages(somewhere, 1), read_only));
  }
  SECTION("there is a frame for one of its two pages alone") {
    set_handler(somewhere + page_size - 8);
    kernel.set_register(program, Register::Rax, ~0ul);  // begins the frame
    kernel.leave_frames(1);
  }
  const auto before = registers();
  const auto word = kernel.get<std::uint64_t>(program, somewhere + page_size - 8);
  CHECK_FALSE(gate.exception(invalid_opcode));
  CHECK(registers() == before);
  CHECK(kernel.get<std::uint64_t>(program, somewhere + page_size - 8) == word);
  CHECK(is_armed());
}

TEST_CASE_METHOD(Fixture, "a message is three words, the result of the call and its bytes") {
  UserState sender{};
  std::uint64_t next = 0x5000;
  for (std::uint64_t& word : sender.words()) word = next++;
  auto expected = registers();
  for (const Register name : {Register::Rsi, Register::Rdx, Register::R10}) {
    expected[static_cast<std::size_t>(name)] = sender[name];
  }
  gate.message_words(sender);
  CHECK(registers() == expected);
  gate.message_bytes(64);
  expected[static_cast<std::size_t>(Register::R8)] = 64;
  gate.call_result(3);
  expected[static_cast<std::size_t>(Register::Rax)] = 3;
  CHECK(registers() == expected);
}

TEST_CASE_METHOD(Fixture, "notes are a message of their own, and an error is a negative result") {
  auto expected = registers();
  gate.error(REPRISE_OCCUPIED);
  CHECK(Kernel::word(program, Register::Rax) == -static_cast<std::uint64_t>(REPRISE_OCCUPIED));
  gate.notes(REPRISE_NOTE_NEWS);
  expected[static_cast<std::size_t>(Register::Rsi)] = REPRISE_NOTE_NEWS;
  expected[static_cast<std::size_t>(Register::Rax)] = 0;
  CHECK(registers() == expected);
}

TEST_CASE_METHOD(Fixture, "an instruction that is not emulated changes no register") {
  const auto before = registers();
  CHECK_FALSE(gate.emulated_instruction(std::array<std::uint8_t, 2>{0x0f, 0x0b}));
  CHECK_FALSE(gate.emulated_instruction({}));
  CHECK(registers() == before);
}

TEST_CASE_METHOD(Fixture, "the end takes all memory, the engine's own with it") {
  gate.end();
  CHECK(context.status == ContextStatus::Ended);
  const PageNumber end = page_of(UserAddr{user_high});
  CHECK_FALSE(context.space().table().next_leaf(PageNumber{0}, end));
  kernel.machine().processes.remove(program);
  CHECK(kernel.free_frames() == frames_without_it);
}
