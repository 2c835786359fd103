#include "kernel/context/injector.hpp"

#include "arch/direct_map.hpp"
#include "arch/user_state.hpp"
#include "kernel/process/process.hpp"

namespace reprise {
namespace {

using Moment = Injection::Moment;

// As init and the machine see a process's registers.
static_assert(register_words == arch::general_words + arch::extended_words);

bool is_known(const Injection& flip) { return flip.fate <= FlipFate::NoTarget; }

}  // namespace

bool Injector::plan(const Injection& injection) {
  std::size_t place = 0;
  while (place < used_ && flips_[place].fate != FlipFate::Free) ++place;
  if (place == flips_.size()) return false;
  if (place == used_) ++used_;
  flips_[place] = injection;
  flips_[place].fate = FlipFate::Planned;
  return true;
}

void Injector::forget() {
  for (Injection& flip : used())
    if (flip.fate == FlipFate::Planned) release(flip);
}

void Injector::release(Injection& flip) {
  flip.fate = FlipFate::Free;
  while (used_ != 0 && flips_[used_ - 1].fate == FlipFate::Free) --used_;
}

// Those that have struck in an attempt of the same PE were caught: it is under way again.
void Injector::run_begins(Process& process, dwc::WhichRun run) {
  run_ = run == dwc::WhichRun::First ? 1 : 2;
  if (run == dwc::WhichRun::First) settle(FlipFate::Caught);
  strike(process, Moment::Start, 0);
}

// The run was shorter than these flips' offsets: a random one comes at the end instead.
void Injector::run_ended(Process& process) {
  for_each_due(process, Moment::Offset, [](Injection& flip) {
    if (flip.random == 0) {
      flip.fate = FlipFate::NoTarget;
    } else {
      flip.moment = Moment::End;
      flip.offset = 0;
    }
  });
  strike(process, Moment::End, 0);
}

void Injector::reached(Process& process, std::uint64_t count) {
  strike(process, Moment::Offset, count);
}

// Calls action(flip) for each that is still to come at this moment of the run.
template <class Action>
void Injector::for_each_due(Process& process, Moment moment, Action action) {
  for (Injection& flip : used()) {
    const bool due = flip.fate == FlipFate::Planned && flip.moment == moment && flip.run == run_ &&
                     flip.process == process.id() && flip.element == process.engine().pe_number();
    if (due) action(flip);
  }
}

std::uint64_t Injector::next_offset(Process& process) {
  std::uint64_t next = 0;
  for_each_due(process, Moment::Offset, [&](const Injection& flip) {
    if (next == 0 || flip.offset < next) next = flip.offset;
  });
  return next;
}

void Injector::strike(Process& process, Moment moment, std::uint64_t count) {
  for_each_due(process, moment, [&](Injection& flip) {
    if (flip.offset > count) return;
    flip.fate = apply(process, flip) ? FlipFate::Struck : FlipFate::NoTarget;
  });
}

bool Injector::apply(Process& process, Injection& injection) {
  Engine& engine = process.engine();
  std::span<std::uint64_t> words;
  if (injection.is_register()) {
    words = (injection.is_snapshot() ? engine.snapshot_registers() : process.registers()).words();
  } else if (const std::size_t pages = engine.modified_pages();
             pages != 0 && (injection.random != 0 || injection.page < pages)) {
    injection.page %= pages;
    const auto& page = engine.modified(injection.page);
    // The frame of a file or of zeros is not this process's alone.
    if (injection.is_snapshot() && page.base_shared) return false;
    words = arch::frame_words(injection.is_snapshot() ? page.base : page.work);
  }
  if (injection.word >= words.size()) return false;
  words[injection.word] ^= 1ull << injection.bit;
  return true;
}

void Injector::settle(FlipFate fate) {
  for (Injection& flip : used()) {
    if (flip.fate != FlipFate::Struck) continue;
    flip.fate = fate;
    ++settled_[static_cast<std::size_t>(fate)];
  }
}

bool Injector::has_news() {
  for (const Injection& flip : used())
    if (is_known(flip)) return true;
  return false;
}

std::optional<Injection> Injector::take_news() {
  for (Injection& flip : used()) {
    if (!is_known(flip)) continue;
    const Injection known = flip;
    release(flip);
    return known;
  }
  return std::nullopt;
}

}  // namespace reprise
