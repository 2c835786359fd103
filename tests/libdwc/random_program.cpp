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

private:
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
      case 0:
        call();
        break;
      case 1:
        loop(6, 1 + random_.below(8), [this] { work(1 + random_.below(12)); });
        break;
      case 2:  // sweeps over pages: budgets and pools feel it
        emit({.op = Op::Immediate, .a = 4, .value = 8 * random_.word()});
        loop(6, 1 + random_.below(pages_), [this] {
          emit({.op = Op::Store, .a = value(), .b = 4});
          emit({.op = Op::AddImmediate, .a = 4, .value = page_bytes});
        });
        break;
      default:
        work(1 + random_.below(20));
        break;
    }
  }

  void work(std::uint64_t instructions) {
    for (std::uint64_t i = 0; i < instructions; ++i) step();
  }

  void step() {
    static constexpr Op arithmetic[] = {Op::Add, Op::Xor, Op::Multiply, Op::Rotate};
    switch (random_.below(12)) {
      case 0:
        emit({.op = Op::Immediate, .a = value(), .value = random_.any()});
        break;
      case 1:
        emit({.op = Op::Immediate, .a = pointer(), .value = address()});
        break;
      case 2:
        emit({.op = Op::AddImmediate, .a = value(), .value = random_.any()});
        break;
      case 3:
        emit({.op = Op::AddImmediate, .a = pointer(), .value = 8});
        break;
      case 4:
        emit({.op = Op::Load, .a = value(), .b = pointer()});
        break;
      case 5:
        emit({.op = Op::Store, .a = value(), .b = pointer()});
        break;
      case 6:
        emit({.op = Op::StorePair, .a = value(), .b = pointer(), .c = value()});
        break;
      case 7:
        emit({.op = Op::ToExtended, .a = value(), .b = value()});
        break;
      case 8:
        emit({.op = Op::FromExtended, .a = value(), .b = value()});
        break;
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
