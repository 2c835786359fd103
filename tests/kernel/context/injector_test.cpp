#include "kernel/context/injector.hpp"

#include <algorithm>
#include <vector>

#include "kernel/context/element.hpp"
#include "tests/arch/fake/arch/x86_64/instructions.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using arch::Register;
using Target = Injection::Target;
using Moment = Injection::Moment;

namespace {

constexpr std::uint64_t first_page = fakes::data, second_page = fakes::data + page_size;
constexpr std::uint64_t elements_instructions = 7;
constexpr std::size_t xmm_1 = (160 + 16) / 8;  // its word in an XSAVE image

std::uint64_t word_of(Register name) { return static_cast<std::uint64_t>(name); }

// A hardened program of seven instructions an element, and flips in it. Where it stands is in R12.
class Victim {
public:
  explicit Victim(std::uint64_t restarts = 3) {
    kernel_.machine().settings.pe_restarts = restarts;
    process_ = &kernel_.start();
    fakes::hardware.ring_3 = [this](arch::UserState& state) { return run_program(state); };
  }

  fakes::Kernel& kernel() { return kernel_; }
  Process& process() { return *process_; }
  Injector& injector() { return process_->context().injector; }
  const FlipTotals& totals() { return kernel_.machine().flips; }
  std::uint64_t settled(FlipFate fate) { return totals().settled[static_cast<std::size_t>(fate)]; }

  // A PE, as the supervisor has it run. False: the engine gave up.
  bool run() {
    const auto end = ElementRunner{process_->context()}.run(Nanoseconds{200'000});
    injector().conclude(end != nullptr ? FlipFate::DiedOut : FlipFate::Stopped);
    return end != nullptr;
  }
  // The fate of the one flip that is known by now.
  FlipFate fate() {
    const auto known = injector().take_known();
    CHECK_FALSE(injector().take_known());
    return known ? known->fate : FlipFate::Free;
  }
  FlipFate fate_of(const Injection& flip) {
    CHECK(injector().plan(flip));
    CHECK(run());
    return fate();
  }
  std::uint64_t restarts() { return process_->context().engine().statistics().restarts; }
  // The runs of the last attempt that failed differ in this bit, and in nothing else.
  void check_one_register_differs(std::uint64_t word, std::uint64_t bit) {
    const auto& found = process_->context().engine().diagnosis();
    REQUIRE(found.registers.total() == 1);
    CHECK(found.registers.items()[0].word == word);
    CHECK((found.registers.items()[0].first ^ found.registers.items()[0].second) == 1ul << bit);
    CHECK(found.pages.total() == 0);
  }
  void check_one_page_word_differs(std::uint64_t page, std::uint64_t word, std::uint64_t bit) {
    const auto& found = process_->context().engine().diagnosis();
    REQUIRE(found.pages.total() == 1);
    CHECK(found.pages.items()[0].page == page_of(UserAddr{page}));
    CHECK(found.pages.items()[0].word == word);
    CHECK((found.pages.items()[0].first ^ found.pages.items()[0].second) == 1ul << bit);
    CHECK(found.registers.total() == 0);
  }
  // Counts at which the program was stopped on its way.
  std::vector<std::uint64_t> stops;
  // Count at which the time limit ends a first run; 0: nowhere.
  std::uint64_t time_limit = 0;

  // Whether the program's state is as without any flip.
  bool is_sound() {
    const std::uint64_t n = process_->context().engine().pe_number();
    const auto& state = process_->context().registers();
    return state[Register::Rbx] == n && state[Register::Rbp] == n * (n + 1) / 2 &&
           state[Register::R13] == 0 && state[Register::R12] == 0 &&
           kernel_.get<std::uint64_t>(*process_, first_page) == n &&
           kernel_.get<std::uint64_t>(*process_, second_page) == n * (n + 1) / 2;
  }

private:
  arch::Trap run_program(arch::UserState& state) {
    for (;; ++fakes::hardware.count) {
      if (is_over_time()) return {.kind = arch::Trap::Kind::Timer};
      if (fakes::hardware.stop != 0 && fakes::hardware.count >= fakes::hardware.stop) {
        stops.push_back(fakes::hardware.count);
        return {.kind = arch::Trap::Kind::Counter};
      }
      if (const auto trap = run_instruction(state)) return *trap;
      state[Register::R12] = (state[Register::R12] + 1) % elements_instructions;
      if (state[Register::R12] == 0) return fakes::system_call();
      if (!fakes::hardware.single_step) continue;
      ++fakes::hardware.count;
      return {.kind = arch::Trap::Kind::Step};
    }
  }
  // A second run that a search leads has a stop ahead, or is stepped.
  [[nodiscard]] bool is_over_time() const {
    const bool is_led = fakes::hardware.stop != 0 || fakes::hardware.single_step;
    return !is_led && time_limit != 0 && fakes::hardware.count == time_limit;
  }
  static std::optional<arch::Trap> run_instruction(arch::UserState& state) {
    switch (state[Register::R12]) {
      case 0: state[Register::Rbx] += 1; return std::nullopt;
      case 1: return fakes::store(first_page, state[Register::Rbx]);
      case 2:
        state[Register::Rbp] += state[Register::Rbx];
        arch::x86::cpu.registers[xmm_1] = state[Register::Rbp];
        return std::nullopt;
      case 3: return fakes::store(second_page, state[Register::Rbp]);
      case 4: state[Register::Rbx] = fakes::load(first_page); return std::nullopt;
      case 5: state[Register::R13] = 0; return std::nullopt;
      default: return std::nullopt;
    }
  }

  fakes::Kernel kernel_;
  Process* process_ = nullptr;
};

}  // namespace

TEST_CASE("without flips the program runs as it should, and no fate is known") {
  Victim victim;
  for (int i = 0; i < 5; ++i) {
    CHECK(victim.run());
    CHECK(victim.is_sound());
  }
  CHECK(victim.restarts() == 0);
  CHECK(victim.fate() == FlipFate::Free);
  CHECK(victim.totals().known == 0);
}

TEST_CASE("a flip of a register is caught at any moment of either run, and undone") {
  Injection flip{.word = word_of(Register::Rbx), .bit = GENERATE(0u, 17u, 63u)};
  flip.run = GENERATE(1, 2);
  flip.moment = GENERATE(Moment::Start, Moment::Offset, Moment::End);
  if (flip.moment == Moment::Offset) flip.offset = 2;
  Victim victim;
  flip.process = victim.process().number();
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 1);
  CHECK(victim.settled(FlipFate::Caught) == 1);
}

TEST_CASE("a flip in any word of the registers is caught at a run's end") {
  Victim victim;
  const std::uint64_t words = victim.process().context().registers().words().size();
  CHECK(words > arch::general_words);
  for (std::uint64_t word = 0; word < words; ++word) {
    const Injection flip{.element = word + 1,
                         .run = 1 + word % 2,
                         .word = word,
                         .bit = word % 64,
                         .moment = Moment::End};
    CHECK(victim.fate_of(flip) == FlipFate::Caught);
    CHECK(victim.is_sound());
  }
  CHECK(victim.restarts() == words);
}

TEST_CASE("a flip of a register changes the planned bit, and no other") {
  Victim victim;
  const std::uint64_t words = victim.process().context().registers().words().size();
  for (std::uint64_t word = 0; word < words; ++word) {
    const std::uint64_t bit = (word * 7 + 3) % 64;
    CHECK(victim.fate_of({.element = word + 1,
                          .run = 1 + word % 2,
                          .word = word,
                          .bit = bit,
                          .moment = Moment::End}) == FlipFate::Caught);
    victim.check_one_register_differs(word, bit);
  }
}

TEST_CASE("a flip before or within a run changes the planned bit, and no other") {
  Injection flip{.bit = GENERATE(0u, 31u, 32u, 63u)};
  flip.word = GENERATE(word_of(Register::R15), first_vector_word);
  flip.run = GENERATE(1, 2);
  flip.offset = GENERATE(0, 3);
  if (flip.offset != 0) flip.moment = Moment::Offset;
  Victim victim;
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  victim.check_one_register_differs(flip.word, flip.bit);
}

TEST_CASE("a flip of a word that this machine's registers do not have hits nothing") {
  Victim victim;
  const std::uint64_t words = victim.process().context().registers().words().size();
  CHECK(victim.fate_of({.word = words}) == FlipFate::NoTarget);
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 0);
}

TEST_CASE("a flip that is overwritten before it is used dies out") {
  Victim victim;
  CHECK(victim.fate_of({.word = word_of(Register::R13)}) == FlipFate::DiedOut);
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 0);
  CHECK(victim.settled(FlipFate::DiedOut) == 1);
}

TEST_CASE("two flips that hit both runs alike are seen by nobody") {
  Victim victim;
  for (const std::uint64_t run : {1u, 2u}) {
    CHECK(victim.injector().plan({.run = run, .word = word_of(Register::Rbx), .bit = 9}));
  }
  CHECK(victim.run());
  CHECK_FALSE(victim.is_sound());
  CHECK(fakes::Kernel::word(victim.process(), Register::Rbx) == 513);
  CHECK(victim.settled(FlipFate::DiedOut) == 2);
}

TEST_CASE("a flip strikes in its own element, and in no other") {
  Victim victim;
  CHECK(victim.injector().plan({.element = 3, .word = word_of(Register::Rbx)}));
  for (const std::uint64_t restarts : {0u, 0u, 1u, 1u}) {
    CHECK(victim.run());
    CHECK(victim.restarts() == restarts);
    CHECK(victim.is_sound());
  }
  CHECK(victim.fate() == FlipFate::Caught);
}

TEST_CASE("a flip that came too late, for an element that is over, waits until it is forgotten") {
  Victim victim;
  CHECK(victim.run());
  CHECK(victim.injector().plan({.element = 1, .word = word_of(Register::Rbx)}));
  CHECK(victim.run());
  CHECK(victim.fate() == FlipFate::Free);
  CHECK(victim.restarts() == 0);
}

TEST_CASE("flips of one run strike together, and each of them once") {
  Victim victim;
  for (const Register name : {Register::Rbx, Register::Rbp, Register::R15}) {
    CHECK(victim.injector().plan({.word = word_of(name)}));
  }
  CHECK(victim.run());
  CHECK(victim.restarts() == 1);
  CHECK(victim.is_sound());
  CHECK(victim.settled(FlipFate::Caught) == 3);
  CHECK(victim.totals().known == 3);
}

TEST_CASE("a flip of the second run that a restart goes before strikes in the second attempt") {
  Victim victim;
  CHECK(victim.injector().plan({.run = 2, .word = word_of(Register::Rbx)}));
  CHECK(victim.injector().plan({.run = 1, .word = word_of(Register::Rflags), .bit = 9}));
  CHECK(victim.run());
  CHECK(victim.is_sound());
  CHECK(victim.settled(FlipFate::Caught) == 2);
  CHECK(victim.restarts() == 2);  // interrupts were off in the first attempt: no second run
}

TEST_CASE("a flip that the engine gives up about has stopped the context") {
  Victim victim{0};
  CHECK(victim.injector().plan({.word = word_of(Register::Rbx)}));
  CHECK_FALSE(victim.run());
  CHECK(victim.fate() == FlipFate::Stopped);
  CHECK(victim.settled(FlipFate::Stopped) == 1);
}

// ---- Offsets ----

TEST_CASE("a flip at an offset strikes behind so many instructions of its run, not before") {
  Victim victim;
  // RBX is computed by instruction 0 and stored by instruction 1: behind those, and until
  // instruction 4 loads it anew, only instruction 2 reads it.
  const Injection flip{
      .word = word_of(Register::Rbx), .bit = 5, .offset = 3, .moment = Moment::Offset};
  CHECK(victim.fate_of(flip) == FlipFate::DiedOut);
  CHECK(victim.is_sound());
  Injection earlier = flip;
  earlier.element = 2;
  earlier.offset = 2;
  CHECK(victim.fate_of(earlier) == FlipFate::Caught);
  CHECK(victim.is_sound());
  CHECK(victim.stops == std::vector<std::uint64_t>{3, 2});
}

TEST_CASE("a run stops for each of its flips' offsets in turn, in whatever order they came") {
  Victim victim;
  for (const std::uint64_t offset : {5u, 2u, 4u, 2u}) {
    CHECK(victim.injector().plan({.run = 2,
                                  .word = word_of(Register::R15),
                                  .bit = offset,
                                  .offset = offset,
                                  .moment = Moment::Offset}));
  }
  CHECK(victim.run());
  CHECK(victim.stops == std::vector<std::uint64_t>{2, 4, 5});
  CHECK(victim.settled(FlipFate::DiedOut) == 0);
  CHECK(victim.settled(FlipFate::Caught) == 4);
  CHECK(victim.is_sound());
}

TEST_CASE("a run goes on behind a flip with the vector registers that it had") {
  const std::uint64_t run = GENERATE(1u, 2u);
  Victim victim;
  CHECK(victim.fate_of({.run = run,
                        .word = word_of(Register::R13),
                        .offset = 4,  // behind the instruction that loads XMM1
                        .moment = Moment::Offset}) == FlipFate::DiedOut);
  CHECK(victim.restarts() == 0);
  const std::size_t word = first_vector_word + 2;
  CHECK(victim.process().context().registers().words()[word] == 1);
}

TEST_CASE("the stops of a search and of a flip come in the order of their counts") {
  const auto [offset, stops] =
      GENERATE(Catch::Generators::table<std::uint64_t, std::vector<std::uint64_t>>({
          {1, {1, 2}},  // the search leaves the counter at 2, four before the time limit
          {2, {2}},
          {5, {2, 5}},
      }));
  Victim victim;
  fakes::hardware.counter.kind = CounterKind::PmuIntel;
  victim.time_limit = 6;
  CHECK(
      victim.fate_of(
          {.run = 2, .word = word_of(Register::R13), .offset = offset, .moment = Moment::Offset}) ==
      FlipFate::DiedOut);
  CHECK(victim.stops == stops);
  CHECK(victim.restarts() == 0);
  CHECK(fakes::Kernel::word(victim.process(), Register::R12) == 6);
}

TEST_CASE("a flip at an offset that its run does not come to has no target") {
  Injection flip{.word = word_of(Register::Rbx), .offset = 100, .moment = Moment::Offset};
  flip.run = GENERATE(1, 2);
  Victim victim;
  CHECK(victim.fate_of(flip) == FlipFate::NoTarget);
  CHECK(victim.stops.empty());
  CHECK(fakes::hardware.stop == 0);  // nobody else is stopped there
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 0);
}

TEST_CASE("a random flip at an offset that its run does not come to strikes at its end") {
  Victim victim;
  const Injection flip{
      .word = word_of(Register::R13), .offset = 100, .moment = Moment::Offset, .random = 1};
  CHECK(victim.fate_of(flip) == FlipFate::Caught);  // at the start it would have died out
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 1);
}

// ---- Pages ----

TEST_CASE("a flip in a page that the run has modified is caught") {
  Injection flip{.moment = Moment::End};
  flip.run = GENERATE(1, 2);
  flip.page = GENERATE(0, 1);
  flip.word = GENERATE(0, 511);
  flip.target = Target::Page;
  Victim victim;
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 1);
}

TEST_CASE("a flip in a page changes the planned bit, and no other") {
  Injection flip{.moment = Moment::End};
  flip.run = GENERATE(1, 2);
  flip.page = GENERATE(0, 1);
  flip.word = GENERATE(0, 255, 511);
  flip.bit = GENERATE(0, 40, 63);
  flip.target = Target::Page;
  Victim victim;
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  victim.check_one_page_word_differs(flip.page == 0 ? first_page : second_page, flip.word,
                                     flip.bit);
}

TEST_CASE("pages are counted in the order in which the run modified them") {
  Victim victim;
  // Behind instruction 1 the first page is stored, and instruction 4 loads it. Page 1 is not there
  // before instruction 3.
  Injection flip{
      .page = 0, .bit = 3, .offset = 2, .target = Target::Page, .moment = Moment::Offset};
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  CHECK(victim.is_sound());
  flip.element = 2;
  flip.page = 2;
  flip.offset = 4;
  CHECK(victim.fate_of(flip) == FlipFate::NoTarget);
  flip.element = 3;
  flip.page = 1;
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  CHECK(victim.is_sound());
}

TEST_CASE("a flip in a page has no target while the run has modified none") {
  const std::uint64_t random = GENERATE(0u, 1u);
  Victim victim;
  CHECK(victim.fate_of({.target = Target::Page, .random = random}) == FlipFate::NoTarget);
  CHECK(victim.is_sound());
  CHECK(victim.restarts() == 0);
}

TEST_CASE("a random flip hits some page, whatever its number is") {
  Victim victim;
  const Injection flip{
      .page = 1001, .word = 7, .target = Target::Page, .moment = Moment::End, .random = 1};
  CHECK(victim.injector().plan(flip));
  CHECK(victim.run());
  const auto known = victim.injector().take_known();
  REQUIRE(known);
  CHECK(known->fate == FlipFate::Caught);
  CHECK(known->page == 1);  // the second of two
  CHECK(victim.is_sound());
}

TEST_CASE("a page that the run has not modified yet is hit, and a flip there is caught") {
  Victim victim;
  CHECK(victim.run());
  // Both pages are clean again. They are modified later in the run, and compared.
  Injection flip{.element = 2, .word = 200, .bit = 4, .target = Target::UnmodifiedPage};
  flip.run = GENERATE(1, 2);
  flip.page = GENERATE(0, 1);
  CHECK(victim.fate_of(flip) == FlipFate::Caught);
  CHECK(victim.is_sound());
  // At the end there is none that it has not modified.
  flip.element = 3;
  flip.page = 0;
  flip.moment = Moment::End;
  CHECK(victim.fate_of(flip) == FlipFate::NoTarget);
  CHECK(victim.is_sound());
}

// ---- The snapshot ----

TEST_CASE("a snapshot whose registers are flipped is noticed before a run starts from them") {
  Victim victim;
  CHECK(victim.injector().plan(
      {.word = word_of(Register::Rbx), .bit = 4, .target = Target::SnapshotRegister}));
  CHECK_FALSE(victim.run());
  CHECK(victim.fate() == FlipFate::Stopped);
}

TEST_CASE("a flip in the snapshot changes the planned bit, and no other") {
  Victim victim;
  CHECK(victim.run());
  Injection flip{.element = 2, .word = word_of(Register::R15), .bit = 45};
  SECTION("in a register") {
    flip.target = Target::SnapshotRegister;
    CHECK(victim.injector().plan(flip));
    CHECK_FALSE(victim.run());
    victim.check_one_register_differs(flip.word, flip.bit);
  }
  SECTION("in a page") {
    flip.target = Target::SnapshotPage;
    flip.moment = Moment::End;
    CHECK(victim.injector().plan(flip));
    CHECK_FALSE(victim.run());
    victim.check_one_page_word_differs(first_page, flip.word, flip.bit);
  }
}

TEST_CASE("a snapshot's page that is shared is not the context's alone, and is left as it is") {
  Victim victim;
  CHECK(victim.fate_of({.target = Target::SnapshotPage, .moment = Moment::End}) ==
        FlipFate::NoTarget);
  CHECK(victim.is_sound());
}

TEST_CASE("a snapshot's page that is flipped is noticed before a run starts from it") {
  Victim victim;
  CHECK(victim.run());
  CHECK(victim.injector().plan({.element = 2,
                                .run = 1,
                                .word = 200,
                                .bit = 4,
                                .target = Target::SnapshotPage,
                                .moment = Moment::End}));
  CHECK_FALSE(victim.run());
  CHECK(victim.fate() == FlipFate::Stopped);
}

// ---- The table ----

TEST_CASE("so many flips can be planned and no more, until some are forgotten") {
  Victim victim;
  for (std::size_t i = 0; i < most_injections; ++i) {
    CHECK(victim.injector().plan({.element = 1 + i % 2, .word = word_of(Register::R15)}));
  }
  CHECK_FALSE(victim.injector().plan({}));
  victim.injector().forget();
  CHECK(victim.run());
  CHECK(victim.fate() == FlipFate::Free);
  for (std::size_t i = 0; i < most_injections; ++i) CHECK(victim.injector().plan({.element = 9}));
  CHECK_FALSE(victim.injector().plan({}));
}

TEST_CASE("a flip whose fate was asked makes room for another, wherever it stands") {
  Victim victim;
  for (std::size_t i = 0; i < most_injections; ++i) {
    const std::uint64_t element = i == 50 ? 1 : 1000;
    CHECK(victim.injector().plan({.element = element, .word = word_of(Register::R13)}));
  }
  CHECK(victim.run());
  CHECK_FALSE(victim.injector().plan({}));  // its fate is kept
  CHECK(victim.fate() == FlipFate::DiedOut);
  CHECK(victim.injector().plan({.element = 1000}));
  CHECK_FALSE(victim.injector().plan({}));
}

TEST_CASE("only flips that have not struck are forgotten") {
  Victim victim;
  CHECK(victim.injector().plan({.word = word_of(Register::Rbx)}));
  CHECK(victim.injector().plan({.element = 2, .word = word_of(Register::Rbx)}));
  CHECK(victim.run());
  victim.injector().forget();
  CHECK(victim.run());
  CHECK(victim.restarts() == 1);
  CHECK(victim.fate() == FlipFate::Caught);
}

TEST_CASE("fates are counted, and count as known until they are asked") {
  Victim victim;
  CHECK(victim.injector().plan({.word = word_of(Register::Rbx)}));
  CHECK(victim.injector().plan({.element = 2, .word = word_of(Register::R13)}));
  CHECK(victim.injector().plan({.element = 2, .target = Target::Page}));
  CHECK(victim.totals().known == 0);
  CHECK(victim.run());
  CHECK(victim.totals().known == 1);
  CHECK(victim.run());
  CHECK(victim.totals().known == 3);
  for (std::uint64_t left = 3; left-- > 0;) {
    CHECK(victim.injector().take_known());
    CHECK(victim.totals().known == left);
  }
  CHECK(victim.totals().settled == FlipCounts{1, 1, 0});
}

TEST_CASE("a process that is removed takes its known flips along, and leaves the totals") {
  Victim victim;
  CHECK(victim.injector().plan({.word = word_of(Register::Rbx)}));
  CHECK(victim.injector().plan({.element = 2, .word = word_of(Register::Rbx)}));
  CHECK(victim.run());
  CHECK(victim.totals().known == 1);
  Machine& machine = victim.kernel().machine();
  machine.end(victim.process(), 0);
  machine.processes.remove(victim.process());
  CHECK(victim.totals().known == 0);
  CHECK(victim.settled(FlipFate::Caught) == 1);
}
