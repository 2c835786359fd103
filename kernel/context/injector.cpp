#include "kernel/context/injector.hpp"

#include "arch/direct_map.hpp"
#include "arch/user_state.hpp"

namespace reprise {
namespace {

using Moment = Injection::Moment;

// As init and the machine see a context's registers.
static_assert(register_words == arch::general_words + arch::extended_words + arch::guest_words);

bool is_known(const Injection& flip) { return flip.fate <= FlipFate::NoTarget; }

// The words that a flip can hit; none where its target does not exist.
std::span<std::uint64_t> target_words(Engine& engine, arch::UserState& live, Injection& flip) {
  if (flip.is_register()) {
    arch::UserState& state = flip.is_snapshot() ? engine.snapshot_registers() : live;
    return state.words();
  }
  const bool modified = flip.target != Injection::Target::UnmodifiedPage;
  const std::size_t pages = modified ? engine.modified_pages() : engine.unmodified_pages();
  if (pages == 0 || (flip.random == 0 && flip.page >= pages)) return {};
  flip.page %= pages;
  const auto& page = modified ? engine.modified(flip.page) : engine.unmodified(flip.page);
  // A shared frame, of a file or of zeros, is not this context's alone.
  if (flip.is_snapshot() && page.base_shared) return {};
  return arch::frame_words(flip.is_snapshot() ? page.base : page.work);
}

}  // namespace

Injector::~Injector() {
  for (const Injection& flip : used()) {
    if (is_known(flip)) --totals_.known;
  }
}

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

// Flips that struck in an earlier attempt of the same PE were caught: it is under way again.
void Injector::run_begins(dwc::WhichRun run, Engine& engine, arch::UserState& live) {
  run_ = run == dwc::WhichRun::First ? 1 : 2;
  if (run == dwc::WhichRun::First) conclude(FlipFate::Caught);
  strike(engine, live, Moment::Start, 0);
}

// The run was shorter than these flips' offsets: a random one comes at the end instead.
void Injector::run_ended(Engine& engine, arch::UserState& live) {
  for_each_due(engine, Moment::Offset, [this](Injection& flip) {
    if (flip.random == 0) {
      become_known(flip, FlipFate::NoTarget);
    } else {
      flip.moment = Moment::End;
      flip.offset = 0;
    }
  });
  strike(engine, live, Moment::End, 0);
}

void Injector::reached(std::uint64_t count, Engine& engine, arch::UserState& live) {
  strike(engine, live, Moment::Offset, count);
}

// Calls action(flip) for each that is still to come at this moment of the run.
template <class Action>
void Injector::for_each_due(const Engine& engine, Moment moment, Action action) {
  for (Injection& flip : used()) {
    const bool due = flip.fate == FlipFate::Planned && flip.moment == moment && flip.run == run_ &&
                     flip.element == engine.pe_number();
    if (due) action(flip);
  }
}

std::uint64_t Injector::next_offset(const Engine& engine) {
  std::uint64_t next = 0;
  for_each_due(engine, Moment::Offset, [&](const Injection& flip) {
    if (next == 0 || flip.offset < next) next = flip.offset;
  });
  return next;
}

void Injector::strike(Engine& engine, arch::UserState& live, Moment moment, std::uint64_t count) {
  for_each_due(engine, moment, [&](Injection& flip) {
    if (flip.offset > count) return;
    if (apply(engine, live, flip)) {
      flip.fate = FlipFate::Struck;
    } else {
      become_known(flip, FlipFate::NoTarget);
    }
  });
}

bool Injector::apply(Engine& engine, arch::UserState& live, Injection& flip) {
  const std::span<std::uint64_t> words = target_words(engine, live, flip);
  if (flip.word >= words.size()) return false;
  words[flip.word] ^= 1ull << flip.bit;
  return true;
}

void Injector::become_known(Injection& flip, FlipFate fate) {
  flip.fate = fate;
  ++totals_.known;
}

void Injector::conclude(FlipFate fate) {
  for (Injection& flip : used()) {
    if (flip.fate != FlipFate::Struck) continue;
    become_known(flip, fate);
    ++totals_.settled[static_cast<std::size_t>(fate)];
  }
}

std::optional<Injection> Injector::take_known() {
  for (Injection& flip : used()) {
    if (!is_known(flip)) continue;
    const Injection known = flip;
    release(flip);
    --totals_.known;
    return known;
  }
  return std::nullopt;
}

}  // namespace reprise
