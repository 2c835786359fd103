#include "kernel/dwc/injector.hpp"

#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/console/line.hpp"
#include "kernel/process/process.hpp"

namespace reprise {
namespace {

using arch::Register;

constexpr std::size_t index_of(Register r) { return static_cast<std::size_t>(r); }

constexpr std::array<std::string_view, 3> outcome_words{"died-out", "caught", "stopped"};

// In the order of Injection::Moment.
constexpr std::array<std::string_view, 3> moment_words{"start", "end", "at"};

}  // namespace

// But for flips at random in a driver that sends the log: telling of one would bring about more.
void Injector::tell(const Process& process, const Injection& injection, std::string_view outcome) {
  if (settings_.inject_rate != 0 && process.grants.allow(REPRISE_GRANT_LOG, 0, 0)) return;
  using Target = Injection::Target;
  const bool snapshot =
      injection.target == Target::SnapshotRegister || injection.target == Target::SnapshotPage;
  TextLine target{snapshot ? "snapshot." : ""};
  if (!injection.is_register()) {
    target.append("page.", injection.page, ".", injection.word);
  } else {
    for (const char c : settings_.word_names[injection.word])
      if (c != '\0') target.append(c);
  }
  print_event("flip", "process", process.name(), "pe", injection.element, "run", injection.run,
              "moment", moment_words[static_cast<std::size_t>(injection.moment)], "offset",
              injection.offset, "target", target, "bit", injection.bit, "outcome", outcome);
}

void Injector::seed() {
  random_state_ = settings_.inject_seed * 0x9e3779b97f4a7c15ull + 0xd1b54a32d192ed03ull;
}

bool Injector::plan(const Injection& injection) {
  if (planned_count_ == planned_.size()) return false;
  planned_[planned_count_++] = injection;
  return true;
}

// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
std::uint64_t Injector::random() {
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545f4914f6cdd1dull;
}

void Injector::run_begins(Process& process, dwc::Run run) {
  const std::uint64_t element = process.engine().pe_number();
  const bool again = seen_process_ == process.id() && seen_element_ == element;
  run_ = run == dwc::Run::First ? 1 : 2;
  if (run == dwc::Run::First) {
    random_armed_ = false;
    if (again) settle(process, Outcome::Caught);
    const std::uint64_t rate = settings_.inject_rate, only = settings_.inject_only;
    const bool hit = rate != 0 && (only == 0 || only == process.id());
    if (!again && hit && random() % rate == 0) plan_random(process);
    seen_process_ = process.id();
    seen_element_ = element;
  }
  strike(process, Moment::Start, 0);
}

// The run was shorter than these flips' offsets: a random one comes at the end instead.
void Injector::run_ended(Process& process) {
  for_each_due(process, Moment::Offset, [&](Injection& injection) {
    if (&injection == &random_flip_) {
      injection.moment = Moment::End;
      return false;
    }
    tell(process, injection, "no-target");
    return true;
  });
  strike(process, Moment::End, 0);
}

void Injector::reached(Process& process, std::uint64_t count) {
  strike(process, Moment::Offset, count);
}

// Half of the flips hit registers, the other half a page that the run has modified: which one is
// known when it strikes. Small offsets are as likely as large ones: most runs are short.
void Injector::plan_random(Process& process) {
  random_flip_ = {};
  random_flip_.process = process.id();
  random_flip_.element = process.engine().pe_number();
  random_flip_.run = 1 + (random() & 1);
  random_armed_ = true;
  aim_at_register();
  const bool page = (random() & 1) != 0;
  if (page) random_flip_.target = Injection::Target::Page;
  constexpr std::array moments{Moment::Start, Moment::End, Moment::Offset};
  random_flip_.moment = moments[page ? 1 + random() % 2 : random() % 3];
  if (random_flip_.moment == Moment::Offset)
    random_flip_.offset = 1 + random() % (std::uint64_t{1} << random() % 18);
}

// General registers, RIP, RFLAGS (the bits that ring 3 can have) and XMM0 to XMM15.
void Injector::aim_at_register() {
  constexpr std::size_t general = index_of(Register::Rflags) + 1;
  constexpr std::size_t vector_words = 32;
  std::size_t word = random() % (general + vector_words);
  if (word >= general) word += first_vector_word - general;
  random_flip_.target = Injection::Target::Register;
  random_flip_.word = word;
  const std::uint64_t bits =
      word == index_of(Register::Rflags) ? REPRISE_USER_FLAGS : ~std::uint64_t{0};
  do random_flip_.bit = random() % 64;
  while ((bits >> random_flip_.bit & 1) == 0);
}

// The run has ended: a page flip gets its page, or stays at a register when no page was modified.
void Injector::aim_at_page(std::size_t modified_pages) {
  if (modified_pages == 0) return aim_at_register();
  random_flip_.page = random() % modified_pages;
  random_flip_.word = random() % words_per_page;
  random_flip_.bit = random() % 64;
}

// Calls action(injection, done) for each flip that is still to come at this moment of the run.
template <class Action>
void Injector::for_each_due(const Process& process, Moment moment, Action action) {
  const auto consider = [&](Injection& injection, bool& pending, bool done) {
    if (pending == done || injection.moment != moment || injection.run != run_ ||
        injection.element != seen_element_ || injection.process != process.id())
      return;
    if (action(injection)) pending = done;
  };
  for (std::size_t i = 0; i < planned_count_; ++i) consider(planned_[i], spent_[i], true);
  consider(random_flip_, random_armed_, false);
}

std::uint64_t Injector::next_offset(const Process& process) {
  std::uint64_t next = 0;
  for_each_due(process, Moment::Offset, [&](const Injection& injection) {
    if (next == 0 || injection.offset < next) next = injection.offset;
    return false;
  });
  return next;
}

void Injector::strike(Process& process, Moment moment, std::uint64_t count) {
  for_each_due(process, moment, [&](Injection& injection) {
    if (injection.offset > count) return false;
    if (&injection == &random_flip_ && injection.target == Injection::Target::Page)
      aim_at_page(process.engine().modified_pages());
    if (!apply(process, injection)) tell(process, injection, "no-target");
    return true;
  });
}

bool Injector::apply(Process& process, const Injection& injection) {
  using Target = Injection::Target;
  Engine& engine = process.engine();
  const bool snapshot =
      injection.target == Target::SnapshotRegister || injection.target == Target::SnapshotPage;
  std::span<std::uint64_t> words;
  if (injection.is_register()) {
    words = (snapshot ? engine.snapshot_registers() : process.registers()).words();
  } else if (injection.page < engine.modified_pages()) {
    words = arch::frame_words(snapshot ? engine.snapshot_frame(injection.page)
                                       : engine.modified_frame(injection.page));
  }
  if (injection.word >= words.size()) return false;
  words[injection.word] ^= 1ull << injection.bit;
  if (pending_count_ < pending_.size()) pending_[pending_count_++] = injection;
  return true;
}

void Injector::settle(Process& process, Outcome outcome) {
  for (std::size_t i = 0; i < pending_count_; ++i) {
    tell(process, pending_[i], outcome_words[static_cast<std::size_t>(outcome)]);
    ++settled_[static_cast<std::size_t>(outcome)];
  }
  pending_count_ = 0;
}

}  // namespace reprise
