// The fake machine's memory management, then its interpreter.
#include "tests/libdwc/fake_machine.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "libdwc/comparator.hpp"

namespace fake {

namespace {

constexpr Frame zero_frame{0};
constexpr std::uint64_t garbage = 0xdeadbeefdeadbeef;
constexpr std::size_t words_per_line = 8;

}  // namespace

Machine::Machine(Program program, std::size_t pages, std::size_t frames)
    : table_(pages),
      program_{std::move(program)},
      memory_(frames + 1),
      owner_(frames + 1, Owner::Free),
      tlb_(pages),
      written_(pages) {
  owner_[0] = Owner::Shared;
  for (std::size_t i = frames; i > 0; --i) free_.push_back(static_cast<Frame>(i));
  live_.word[Registers::flags] = interrupt_flag;
}

// ---- Frames ----

std::optional<Frame> Machine::allocate() {
  if (free_.empty()) return std::nullopt;
  const Frame frame = free_.back();
  free_.pop_back();
  owner_[index(frame)] = Owner::Engine;
  return frame;
}

void Machine::release(Frame frame) {
  must_own(frame, "released a frame that is not the process's own");
  for (const PageTableEntry& entry : table_) {
    if (entry.present && entry.frame == frame) throw Violation{"released a frame that is mapped"};
  }
  owner_[index(frame)] = Owner::Free;
  memory_[index(frame)].fill(garbage);
  if (bad_line_ && bad_line_->frame == frame) drop_line();
  free_.push_back(frame);
}

Frame Machine::must_own(Frame frame, const char* what) const {
  if (owner_.at(index(frame)) != Owner::Engine) throw Violation{what};
  return frame;
}

std::uint64_t Machine::copy_words(Frame to, Frame from) {
  must_own(to, "copied into a frame that is not the process's own");
  if (owner_.at(index(from)) == Owner::Free) throw Violation{"copied from a free frame"};
  if (bad_line_ && bad_line_->frame == to) drop_line();
  toggle_bad_line();
  memory_[index(to)] = memory_[index(from)];
  toggle_bad_line();
  return check_word(from);
}

void Machine::copy(Frame to, Frame from) { static_cast<void>(checked_copy(to, from)); }

std::uint64_t Machine::checked_copy(Frame to, Frame from) {
  wreck_extended_state();
  time_ += 20;
  return copy_words(to, from);
}

std::uint64_t Machine::copy_at_fault(Frame to, Frame from) {
  time_ += 30;
  return copy_words(to, from);
}

dwc::Comparison Machine::compare(Frame a, Frame b) {
  wreck_extended_state();
  time_ += 15;
  const auto& first = memory_.at(index(a));
  const auto& second = memory_.at(index(b));
  toggle_bad_line();
  const auto [at, other] = std::mismatch(first.begin(), first.end(), second.begin());
  toggle_bad_line();
  dwc::Comparison result{.first_difference = std::nullopt, .check_word = check_word(a)};
  if (at != first.end()) result.first_difference = static_cast<std::size_t>(at - first.begin());
  return result;
}

// A sum of its own, quicker than the engine's: four lanes, each invertible in every word.
std::uint64_t Machine::check_word(Frame frame) {
  std::array<std::uint64_t, 4> lane{1, 2, 3, 4};
  const auto& words = memory_.at(index(frame));
  toggle_bad_line();
  for (std::size_t i = 0; i < words.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) lane[k] = dwc::check_word_step(lane[k], words[i + k]);
  }
  toggle_bad_line();
  return dwc::check_word(lane);
}

std::span<std::uint64_t> Machine::words(Frame frame) { return memory_.at(index(frame)); }

// ---- The cache ----

// Memory as the cache shows it, until the next call.
void Machine::toggle_bad_line() {
  if (bad_line_) memory_[index(bad_line_->frame)][bad_line_->word] ^= bad_line_->bits;
}

std::uint64_t Machine::seen(Frame frame, std::size_t word) const {
  const bool bad = bad_line_ && bad_line_->frame == frame && bad_line_->word == word;
  return memory_[index(frame)][word] ^ (bad ? bad_line_->bits : 0);
}

void Machine::store_word(Frame frame, std::size_t word, std::uint64_t value) {
  if (bad_line_ && bad_line_->frame == frame) {
    if (bad_line_->word / words_per_line == word / words_per_line) toggle_bad_line();
    drop_line();
  }
  memory_[index(frame)][word] = value;
}

void Machine::mark_written(std::size_t page) {
  written_[page] = true;
  if (!tlb_[page].dirty) tlb_[page].dirty = table_[page].dirty = true;
}

void Machine::store_astray(Page page, std::size_t word, std::uint64_t value) {
  mark_written(index(page));
  store_word(tlb_[index(page)].frame, word, value);
}

void Machine::flush_everything() {
  ++flushes;
  time_ += 200;
  drop_line();
}

// ---- Translations ----

dwc::Origin<Frame> Machine::origin(Page page) {
  const PageTableEntry& entry = table_.at(index(page));
  if (!entry.present) throw Violation{"asked for a page that is not there"};
  return {.frame = entry.frame, .shared = entry.shared};
}

void Machine::map(Page page, Frame frame, dwc::Write write) {
  must_own(frame, "mapped a frame that is not the process's own");
  PageTableEntry& entry = table_.at(index(page));
  if (!entry.present || !entry.may_write) throw Violation{"mapped a page that nobody may write"};
  entry.frame = frame;
  entry.shared = false;
  entry.enabled = write == dwc::Write::Enabled;
  entry.dirty = false;
}

bool Machine::dirty(Page page) { return table_.at(index(page)).dirty; }
void Machine::clear_dirty(Page page) { table_.at(index(page)).dirty = false; }
void Machine::invalidate(Page page) { walk(index(page)); }

void Machine::invalidate_all() {
  for (std::size_t page = 0; page < tlb_.size(); ++page) walk(page);
}

void Machine::walk(std::size_t page) {
  const PageTableEntry& entry = table_.at(page);
  tlb_[page] = {.frame = entry.frame,
                .valid = entry.present,
                .writable = entry.enabled,
                .dirty = entry.dirty};
}

// ---- Registers and time ----

void Machine::complete() {
  std::copy(extended_.begin(), extended_.end(), live_.word.begin() + Registers::first_extended);
}

void Machine::load() {
  const auto extended = live_.word.begin() + Registers::first_extended;
  std::copy(extended, live_.word.end(), extended_.begin());
  std::fill(extended, live_.word.end(), garbage);
  time_ += entry_ticks;
}

void Machine::wreck_extended_state() { extended_.fill(garbage); }

void Machine::arm_timer(std::uint64_t ticks) {
  const bool taken = counter_.on() && counter_.model().takes_timer;
  deadline_ = ticks == 0 || taken ? 0 : time_ + ticks;
}

void Machine::stop_at_count(std::uint64_t count) {
  counter_.stop_at(count);
  if (count != 0 && counter_.model().takes_timer) deadline_ = 0;
}

bool Machine::repeats() {
  const std::uint64_t ip = live_.word[Registers::ip];
  return ip < program_.size() && program_[ip].op == Op::RepeatStore;
}

void Machine::run_begins(dwc::WhichRun run, const Registers& start) {
  live_ = start;
  retired_ = 0;
  std::fill(written_.begin(), written_.end(), false);
  if (on_run_begins) on_run_begins(run);
}

void Machine::run_ended(dwc::WhichRun run) {
  if (on_run_ended) on_run_ended(run);
}

// ---- The kernel between PEs ----

void Machine::give_page(Page page, bool may_write) {
  take_page(page);
  const std::optional<Frame> frame = allocate();
  if (!frame) throw Violation{"the test gave the machine too few frames"};
  memory_[index(*frame)].fill(0);
  table_.at(index(page)) = {.frame = *frame, .present = true, .may_write = may_write};
}

void Machine::share_page(Page page, bool may_write) {
  take_page(page);
  table_.at(index(page)) = {
      .frame = zero_frame, .present = true, .may_write = may_write, .shared = true};
}

void Machine::take_page(Page page) {
  PageTableEntry& entry = table_.at(index(page));
  if (entry.enabled) throw Violation{"the kernel took a page that the engine still has"};
  const PageTableEntry old = entry;
  entry = {};
  if (old.present && !old.shared) release(old.frame);
  invalidate(page);
}

bool Machine::write(Page page, std::size_t word, std::uint64_t value) {
  PageTableEntry& entry = table_.at(index(page));
  if (entry.enabled) throw Violation{"the kernel wrote a page that the engine still has"};
  if (entry.shared) {
    const std::optional<Frame> frame = allocate();
    if (!frame) return false;
    memory_[index(*frame)] = memory_[index(entry.frame)];
    entry.frame = *frame;
    entry.shared = false;
    invalidate(page);
  }
  memory_[index(entry.frame)].at(word) = value;
  return true;
}

std::span<const std::uint64_t> Machine::content(Page page) const {
  const PageTableEntry& entry = table_.at(index(page));
  if (!entry.present) return {};
  return memory_[index(entry.frame)];
}

// ---- The interpreter ----

Trap Machine::run(std::uint64_t limit) {
  const Trap trap = run_until_trap(limit);
  step_target_.reset();
  time_ += 5;
  switch (trap.kind) {
    case Trap::Kind::Exception:
      if (trap.vector == page_fault_vector) counter_.page_fault();
      break;
    case Trap::Kind::Timer: deadline_ = 0; [[fallthrough]];
    case Trap::Kind::Counter:
    case Trap::Kind::Step:
    case Trap::Kind::Break: counter_.interrupt(); break;
    default: break;
  }
  return trap;
}

Trap Machine::run_until_trap(std::uint64_t limit) {
  bool arrived = false;   // by an instruction of this run: standing somewhere is no arrival
  bool shadowed = false;  // by the instruction before
  for (std::uint64_t i = 0; i < limit; ++i) {
    if (std::exchange(machine_check_pending, false)) return {.kind = Trap::Kind::MachineCheck};
    if (!shadowed) {
      if (deadline_ != 0 && time_ >= deadline_) return {.kind = Trap::Kind::Timer};
      if (counter_.overflows()) return {.kind = Trap::Kind::Counter};
      if (arrived && break_ == live_.word[Registers::ip]) return {.kind = Trap::Kind::Break};
    }
    if (before_instruction) before_instruction();
    ++time_;
    const std::uint64_t ip = live_.word[Registers::ip];
    const Op op = ip < program_.size() ? program_[ip].op : Op::Undefined;
    if (const std::optional<Trap> trap = execute()) {
      // What the trap ends has retired all the same, if the instruction is behind it.
      if (trap->kind == Trap::Kind::SystemCall) counter_.retired(false);
      return *trap;
    }
    ++retired_;
    const bool repeats_on = op == Op::RepeatStore && live_.word[Registers::ip] == ip;
    counter_.retired(repeats_on);
    arrived = !repeats_on;
    shadowed = op == Op::Shadow && !shadowed;
    if (step_target_ && step_is_over(op, repeats_on, shadowed, i == 0)) {
      return {.kind = Trap::Kind::Step};
    }
  }
  return {.kind = Trap::Kind::Pause};
}

bool Machine::step_is_over(Op executed, bool repeats_on, bool shadowed, bool first) const {
  if (repeats_on) {
    const std::size_t counter = program_[live_.word[Registers::ip]].c;
    return step_target_->word[Registers::ip] == live_.word[Registers::ip] &&
           step_target_->word[counter] == live_.word[counter];
  }
  return !shadowed && !(first && executed == Op::Pause);
}

// The frame behind an address; or the page fault, after which nothing has been written.
std::optional<Frame> Machine::reach(std::uint64_t address, dwc::Write write,
                                    std::optional<Trap>& fault) {
  const bool writing = write == dwc::Write::Enabled;
  const std::uint64_t page = address / page_bytes;
  fault = Trap{.kind = Trap::Kind::Exception,
               .vector = page_fault_vector,
               .error_code = writing ? fault_write : 0,
               .fault_address = address};
  if (address % 8 != 0 || page >= table_.size()) return std::nullopt;
  if (!tlb_[page].valid) walk(page);  // an entry that is not there is never remembered as such
  const Translation& translation = tlb_[page];
  if (!translation.valid) return std::nullopt;
  fault->error_code |= fault_present;
  if (writing && !translation.writable) return std::nullopt;
  fault = std::nullopt;
  return translation.frame;
}

std::optional<Trap> Machine::load(const Instruction& instruction) {
  std::optional<Trap> fault;
  const std::uint64_t address = live_.word[instruction.b] + instruction.value;
  const std::optional<Frame> frame = reach(address, dwc::Write::Protected, fault);
  if (frame) live_.word[instruction.a] = seen(*frame, address % page_bytes / 8);
  return fault;
}

std::optional<Trap> Machine::store(const Instruction& instruction) {
  const std::size_t count = instruction.op == Op::StorePair ? 2 : 1;
  const std::uint64_t address = live_.word[instruction.b] + instruction.value;
  std::array<std::optional<Frame>, 2> target{};
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<Trap> fault;
    target[i] = reach(address + i * page_bytes, dwc::Write::Enabled, fault);
    if (fault) return fault;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t page = address / page_bytes + i;
    mark_written(page);
    store_word(*target[i], address % page_bytes / 8,
               live_.word[i == 0 ? instruction.a : instruction.c]);
  }
  return std::nullopt;
}

// One iteration. A counter that is 0 from the start makes it do nothing.
std::optional<Trap> Machine::repeat_store(const Instruction& instruction) {
  auto& r = live_.word;
  if (r[instruction.c] == 0) return std::nullopt;
  const std::optional<Trap> trap =
      store({.op = Op::Store, .a = instruction.a, .b = instruction.b, .value = 0});
  if (trap) return trap;
  r[instruction.b] += 8;
  r[instruction.c] -= 1;
  return std::nullopt;
}

// One instruction, or one iteration of a repeated one; when it traps, the instruction pointer still
// stands at it, but for a system call.
std::optional<Trap> Machine::execute() {
  auto& r = live_.word;
  const Trap undefined{.kind = Trap::Kind::Exception, .vector = undefined_vector};
  if (r[Registers::ip] >= program_.size()) return undefined;
  const Instruction& in = program_[r[Registers::ip]];
  std::uint64_t next = r[Registers::ip] + 1;
  std::optional<Trap> trap;
  switch (in.op) {
    case Op::Immediate: r[in.a] = in.value; break;
    case Op::AddImmediate:
      r[in.a] += in.value;
      r[Registers::flags] &= ~zero_flag;
      if (r[in.a] == 0) r[Registers::flags] |= zero_flag;
      break;
    case Op::Add: r[in.a] = r[in.b] + r[in.c]; break;
    case Op::Xor: r[in.a] = r[in.b] ^ r[in.c]; break;
    case Op::Multiply: r[in.a] = r[in.b] * (r[in.c] | 1); break;
    case Op::Rotate: r[in.a] = std::rotl(r[in.b], static_cast<int>(r[in.c] & 63)); break;
    case Op::Load: trap = load(in); break;
    case Op::Store:
    case Op::StorePair: trap = store(in); break;
    case Op::ToExtended: extended_[in.a & 3] += r[in.b]; break;
    case Op::FromExtended: r[in.a] = extended_[in.b & 3]; break;
    case Op::SetFlags:
      r[Registers::flags] &= ~status_flags;
      r[Registers::flags] |= r[in.a] & status_flags;
      break;
    case Op::BranchNonzero: next = r[in.a] != 0 ? in.value : next; break;
    case Op::RepeatStore:
      trap = repeat_store(in);
      if (r[in.c] != 0) next = r[Registers::ip];
      break;
    case Op::Chance: r[in.a] = chance_ += 0x9e3779b97f4a7c15; break;
    case Op::Pause:
    case Op::Shadow: break;
    case Op::SystemCall: trap = Trap{.kind = Trap::Kind::SystemCall}; break;
    case Op::Undefined: return undefined;
  }
  if (trap && trap->kind == Trap::Kind::Exception) return trap;
  r[Registers::ip] = next;
  return trap;
}

}  // namespace fake
