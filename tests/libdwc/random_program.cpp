#include "tests/libdwc/random_program.hpp"

#include "tests/libdwc/fake_process.hpp"

namespace fake {

namespace {

// Registers by use: 0 to 3 values and arguments, 4 and 5 pointers, 6 and 7 loop counters.
class Writer {
public:
  Writer(Random& random, std::size_t pages) : random_{random}, pages_{pages} {}

  Program write() {
    for (std::uint8_t r = 0; r < 6; ++r) emit({.op = Op::Immediate, .a = r, .value = address()});
    loop(7, 2 + random_.below(5), [this] {
      const std::uint64_t pieces = 1 + random_.below(4);
      for (std::uint64_t i = 0; i < pieces; ++i) piece();
    });
    emit({.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Exit)});
    emit({.op = Op::SystemCall});
    return std::move(program_);
  }

  ComputeProgram write_compute() {
    for (std::uint8_t r = 0; r < 6; ++r) emit({.op = Op::Immediate, .a = r, .value = address()});
    const bool endless = random_.one_in(8);
    loop(7, endless ? 1 : 1 + random_.below(4), [this] {
      const std::uint64_t pieces = 1 + random_.below(4);
      for (std::uint64_t i = 0; i < pieces; ++i) compute();
      if (random_.one_in(3)) call();
    });
    if (endless) forever();
    emit({.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Exit)});
    emit({.op = Op::SystemCall});
    return {.program = std::move(program_), .endless = endless};
  }

private:
  static constexpr std::uint64_t minus_one = ~std::uint64_t{0};

  void emit(const Instruction& instruction) { program_.push_back(instruction); }
  std::uint8_t value() { return static_cast<std::uint8_t>(random_.below(4)); }
  std::uint8_t pointer() { return static_cast<std::uint8_t>(4 + random_.below(2)); }
  std::uint64_t address() { return random_.below(pages_) * page_bytes + 8 * random_.word(); }

  template <class Body>
  void loop(std::uint8_t counter, std::uint64_t times, Body body) {
    emit({.op = Op::Immediate, .a = counter, .value = times});
    const std::uint64_t top = program_.size();
    body();
    emit({.op = Op::AddImmediate, .a = counter, .value = ~std::uint64_t{0}});
    emit({.op = Op::BranchNonzero, .a = counter, .value = top});
  }

  void piece() {
    switch (random_.below(5)) {
      case 0: call(); break;
      case 1: loop(6, 1 + random_.below(8), [this] { work(1 + random_.below(12)); }); break;
      case 2:  // sweeps over pages: budgets and pools feel it
        emit({.op = Op::Immediate, .a = 4, .value = 8 * random_.word()});
        loop(6, 1 + random_.below(pages_), [this] {
          emit({.op = Op::Store, .a = value(), .b = 4});
          emit({.op = Op::AddImmediate, .a = 4, .value = page_bytes});
        });
        break;
      default: work(1 + random_.below(20)); break;
    }
  }

  void compute() {
    switch (random_.below(8)) {
      case 0: loop(6, 1 + random_.below(400), [] {}); break;
      case 1: loop(6, 1 + random_.below(60), [this] { work(1 + random_.below(8)); }); break;
      case 2: memory_counts_down(); break;
      case 3: extended_counts_down(); break;
      case 4:
      case 5: repeat_store(random_.one_in(3) ? words_per_page * pages_ : 40); break;
      case 6:
        loop(6, 1 + random_.below(20), [this] {
          skipped_by_a_step();
          repeat_store(12);
          work(random_.below(3));
        });
        break;
      default: work(1 + random_.below(40)); break;
    }
  }

  // At the loop's top every register is the same each time.
  void memory_counts_down() {
    emit({.op = Op::Immediate, .a = 5, .value = address()});
    emit({.op = Op::Immediate, .a = 6, .value = 1 + random_.below(150)});
    const std::uint64_t store = program_.size();
    emit({.op = Op::Store, .a = 6, .b = 5});
    emit({.op = Op::Immediate, .a = 6, .value = 0});
    if (random_.one_in(2)) skipped_by_a_step();
    emit({.op = Op::Load, .a = 6, .b = 5});
    emit({.op = Op::AddImmediate, .a = 6, .value = minus_one});
    emit({.op = Op::BranchNonzero, .a = 6, .value = store});
  }

  void extended_counts_down() {
    const auto e = static_cast<std::uint8_t>(random_.below(4));
    emit({.op = Op::FromExtended, .a = 6, .b = e});
    emit({.op = Op::Immediate, .a = 3, .value = minus_one});
    emit({.op = Op::Multiply, .a = 6, .b = 6, .c = 3});
    emit({.op = Op::ToExtended, .a = e, .b = 6});  // now 0
    emit({.op = Op::Immediate, .a = 6, .value = 1 + random_.below(150)});
    const std::uint64_t add = program_.size();
    emit({.op = Op::ToExtended, .a = e, .b = 6});
    emit({.op = Op::FromExtended, .a = 6, .b = e});
    emit({.op = Op::BranchNonzero, .a = 6, .value = add + 5});
    emit({.op = Op::Immediate, .a = 6, .value = 1});
    emit({.op = Op::BranchNonzero, .a = 6, .value = add + 7});
    emit({.op = Op::Immediate, .a = 6, .value = minus_one});
    emit({.op = Op::BranchNonzero, .a = 6, .value = add});
  }

  void repeat_store(std::uint64_t most) {
    emit({.op = Op::Immediate, .a = 5, .value = address()});
    emit({.op = Op::Immediate, .a = 3, .value = random_.below(most)});
    emit({.op = Op::RepeatStore, .a = value(), .b = 5, .c = 3});
  }

  // Nothing that writes follows a shadow: a write fault would end it (docs/engine.md).
  void skipped_by_a_step() {
    emit({.op = random_.one_in(2) ? Op::Pause : Op::Shadow});
    emit({.op = Op::AddImmediate, .a = 2, .value = random_.below(2)});
  }

  void forever() {
    emit({.op = Op::Immediate, .a = 6, .value = 1});
    const std::uint64_t top = program_.size();
    switch (random_.below(4)) {
      case 0:  // each instruction leaves everything as it is
        break;
      case 1:
        emit({.op = Op::Load, .a = 0, .b = 4});
        emit({.op = Op::AddImmediate, .a = 0, .value = 1});
        emit({.op = Op::Store, .a = 0, .b = 4});
        emit({.op = Op::Immediate, .a = 0, .value = 0});
        break;
      case 2: repeat_store(words_per_page); break;
      default:
        work(1 + random_.below(10));
        emit({.op = Op::Immediate, .a = 4, .value = address()});
        emit({.op = Op::Immediate, .a = 5, .value = address()});
        break;
    }
    emit({.op = Op::BranchNonzero, .a = 6, .value = top});
  }

  void work(std::uint64_t instructions) {
    for (std::uint64_t i = 0; i < instructions; ++i) step();
  }

  void step() {
    static constexpr Op arithmetic[] = {Op::Add, Op::Xor, Op::Multiply, Op::Rotate};
    switch (random_.below(12)) {
      case 0: emit({.op = Op::Immediate, .a = value(), .value = random_.any()}); break;
      case 1: emit({.op = Op::Immediate, .a = pointer(), .value = address()}); break;
      case 2: emit({.op = Op::AddImmediate, .a = value(), .value = random_.any()}); break;
      case 3: emit({.op = Op::AddImmediate, .a = pointer(), .value = 8}); break;
      case 4: emit({.op = Op::Load, .a = value(), .b = pointer()}); break;
      case 5: emit({.op = Op::Store, .a = value(), .b = pointer()}); break;
      case 6: emit({.op = Op::StorePair, .a = value(), .b = pointer(), .c = value()}); break;
      case 7: emit({.op = Op::ToExtended, .a = value(), .b = value()}); break;
      case 8: emit({.op = Op::FromExtended, .a = value(), .b = value()}); break;
      case 9:
        if (random_.one_in(8)) emit({.op = random_.one_in(2) ? Op::Undefined : Op::SetFlags});
        break;
      default:
        emit({.op = arithmetic[random_.below(4)], .a = value(), .b = value(), .c = value()});
        break;
    }
  }

  void call() {
    const auto number = 1 + random_.below(static_cast<std::uint64_t>(Call::Count) - 1);
    emit({.op = Op::Immediate, .a = 0, .value = number});
    if (random_.one_in(2)) emit({.op = Op::Immediate, .a = 2, .value = random_.word()});
    emit({.op = Op::SystemCall});
  }

  Random& random_;
  std::size_t pages_;
  Program program_;
};

}  // namespace

std::size_t Random::word() {
  if (one_in(4)) return 0;
  if (one_in(3)) return words_per_page - 1;
  return below(words_per_page);
}

ComputeProgram compute_program(Random& random, std::size_t pages) {
  return Writer{random, pages}.write_compute();
}

Program random_program(Random& random, std::size_t pages) { return Writer{random, pages}.write(); }

void lay_out_pages(Machine& machine, std::uint64_t seed) {
  Random random{seed};
  for (std::size_t i = 0; i < machine.page_count(); ++i) {
    const auto page = static_cast<Page>(i);
    const std::uint64_t kind = random.below(10);
    if (kind < 5) machine.give_page(page, true);
    if (kind == 5) machine.give_page(page, false);
    if (kind == 6 || kind == 7) machine.share_page(page, true);
    if (kind == 8) machine.share_page(page, false);
    if (kind <= 5) {
      for (int k = 0; k < 4; ++k) machine.write(page, random.word(), random.any());
    }
  }
}

}  // namespace fake
